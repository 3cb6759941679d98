//! Links between the rows of one table: descendants and circles.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use fixedbitset::FixedBitSet;

/// Adds to the set all descendants of its rows. The rows of a circle, which only the target can have, count as no
/// descendants of each other.
pub(crate) fn add_descendants(set: &mut FixedBitSet, parent: impl Fn(usize) -> Option<u32>) {
    let mut seen = FixedBitSet::with_capacity(set.len());
    let mut path = Vec::new();
    for start in 0..set.len() {
        let mut at = Some(start);
        let under = loop {
            match at {
                Some(row) if set.contains(row) => break true,
                Some(row) if !seen.put(row) => path.push(row),
                // The top, or a row that is known not to be under a row of the set.
                _ => break false,
            }
            at = at.and_then(&parent).map(|row| row as usize);
        };

        let path = path.drain(..);
        if under {
            path.for_each(|row| set.insert(row));
        }
    }
}

/// Walks a graph of rows depth first, each row once, and calls `left` with each row after all that it leads to, circles
/// aside.
pub(crate) fn walk(rows: u32, leads_to: impl FnMut(u32, &mut Vec<u32>), left: impl FnMut(u32, &[u32])) {
    depth_first(rows, leads_to, left, |_| {});
}

/// The rows that are on circles, grouped by the circles that they share, in the order in which they are found.
pub(crate) fn circles(rows: u32, mut leads_to: impl FnMut(u32, &mut Vec<u32>)) -> Vec<Vec<u32>> {
    let mut found = Vec::new();
    let to_itself = |row: u32, leads_to: &mut dyn FnMut(u32, &mut Vec<u32>)| {
        let mut to = Vec::new();
        leads_to(row, &mut to);
        to.contains(&row)
    };

    let mut components = Vec::new();
    depth_first(rows, &mut leads_to, |_, _| {}, |component| components.push(component.to_vec()));

    for component in components {
        if component.len() > 1 || to_itself(component[0], &mut leads_to) {
            found.push(component);
        }
    }
    found
}

/// The shortest circle through a row, within its component: the rows from it to itself.
pub(crate) fn circle_through(row: u32, component: &[u32], mut leads_to: impl FnMut(u32, &mut Vec<u32>)) -> Vec<u32> {
    let members: HashSet<u32> = component.iter().copied().collect();
    let mut came_from: HashMap<u32, u32> = HashMap::new();
    let mut queue = VecDeque::from([row]);
    let mut to = Vec::new();

    while let Some(at) = queue.pop_front() {
        to.clear();
        leads_to(at, &mut to);
        if to.contains(&row) {
            let mut circle = vec![row, at];
            let mut at = at;
            while at != row {
                at = came_from[&at];
                circle.push(at);
            }

            // It was followed backwards, and a row that leads to itself is in it three times.
            circle.reverse();
            circle.dedup();
            if circle.len() == 1 {
                circle.push(row);
            }
            return circle;
        }

        for next in to.iter().copied().filter(|next| members.contains(next)) {
            if next != row && !came_from.contains_key(&next) {
                came_from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    vec![row]
}

/// Tarjan's algorithm (Depth-first search and linear graph algorithms, SIAM J. Comput. 1, 1972) without recursion: calls
/// `left` with each row and what it leads to when it is left, and `component` with the rows that lead to each other,
/// beginning with the one that was found first.
fn depth_first(
    rows: u32,
    mut leads_to: impl FnMut(u32, &mut Vec<u32>),
    mut left: impl FnMut(u32, &[u32]),
    mut component: impl FnMut(&[u32]),
) {
    const UNSEEN: u32 = u32::MAX;
    let mut seen = vec![UNSEEN; rows as usize];
    // For each row, the first seen of the rows that it leads back to.
    let mut lowest = vec![UNSEEN; rows as usize];
    let mut next_number = 0;

    let mut open: Vec<u32> = Vec::new();
    let mut is_open = FixedBitSet::with_capacity(rows as usize);

    // The edges of the rows on the path, and the range of each row's edges that are still to be visited.
    let mut edges: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, Range<usize>)> = Vec::new();

    for start in 0..rows {
        let mut enter = Some(start).filter(|row| seen[*row as usize] == UNSEEN);
        loop {
            if let Some(row) = enter.take() {
                (seen[row as usize], lowest[row as usize]) = (next_number, next_number);
                next_number += 1;
                open.push(row);
                is_open.insert(row as usize);
                let first = edges.len();
                leads_to(row, &mut edges);
                path.push((row, first..edges.len()));
            }

            let Some((row, to_visit)) = path.last_mut() else { break };
            let row = *row;
            if let Some(edge) = to_visit.next() {
                let next = edges[edge];
                if seen[next as usize] == UNSEEN {
                    enter = Some(next);
                } else if is_open.contains(next as usize) {
                    lowest[row as usize] = lowest[row as usize].min(seen[next as usize]);
                }
                continue;
            }

            // All edges of the row are visited, so it is left.
            let first = path.iter().rev().nth(1).map_or(0, |(_, above)| above.end);
            left(row, &edges[first..]);
            edges.truncate(first);
            path.pop();
            if let Some((above, _)) = path.last() {
                lowest[*above as usize] = lowest[*above as usize].min(lowest[row as usize]);
            }

            // A row that leads back to none before it is the first of its component.
            if lowest[row as usize] == seen[row as usize] {
                let at = open.iter().rposition(|other| *other == row).unwrap_or_default();
                open[at..].iter().for_each(|row| is_open.set(*row as usize, false));
                component(&open[at..]);
                open.truncate(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(graph: &[&[u32]]) -> impl FnMut(u32, &mut Vec<u32>) {
        move |row, to| to.extend(graph[row as usize])
    }

    fn rows(graph: &[&[u32]]) -> u32 {
        u32::try_from(graph.len()).unwrap()
    }

    #[test]
    fn rows_are_left_after_what_they_lead_to() {
        for (graph, expected) in [(&[&[1u32, 2][..], &[2], &[]], [2, 1, 0]), (&[&[], &[0], &[0, 1]], [0, 1, 2])] {
            let mut order = Vec::new();
            walk(rows(graph), edges(graph), |row, to| {
                assert_eq!(to, graph[row as usize]);
                order.push(row);
            });
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn circles_are_found_without_what_leads_to_them() {
        let found = |graph: &[&[u32]]| circles(rows(graph), edges(graph));
        assert_eq!(found(&[&[1], &[2], &[1]]), [[1, 2]]);
        assert_eq!(found(&[&[0], &[0]]), [[0]]);
        assert_eq!(found(&[&[], &[0], &[1]]), [[0u32; 0]; 0]);
        // By way of a row that was left before.
        assert_eq!(found(&[&[1, 2], &[0], &[1]]), [[0, 1, 2]]);
    }

    #[test]
    fn the_shortest_circle_is_shown() {
        let graph: &[&[u32]] = &[&[1, 2], &[2], &[0], &[3]];
        assert_eq!(circle_through(0, &[0, 1, 2], edges(graph)), [0, 2, 0]);
        assert_eq!(circle_through(1, &[0, 1, 2], edges(graph)), [1, 2, 0, 1]);
        assert_eq!(circle_through(3, &[3], edges(graph)), [3, 3]);
    }

    #[test]
    fn a_mesh_is_one_circle() {
        let all: Vec<u32> = (0..500).collect();
        let found = circles(500, |_, to| to.extend(&all));
        assert_eq!((found.len(), found[0].len()), (1, 500));
    }

    #[test]
    fn what_lies_under_a_row_is_found_through_any_number_of_others() {
        let parents = [None, Some(0), Some(1), Some(5), Some(3), None];
        let mut set = FixedBitSet::with_capacity(6);
        set.insert(0);
        add_descendants(&mut set, |row| parents[row]);
        assert_eq!(set.ones().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
