//! Rows of one table that lead to each other: what lies under a row, and circles.

use std::ops::Range;

use fixedbitset::FixedBitSet;

/// Adds to the set all rows above which one of it stands. A circle, which only the target can have, is none.
pub(crate) fn add_descendants(set: &mut FixedBitSet, parent: impl Fn(usize) -> Option<u32>) {
    let mut seen = FixedBitSet::with_capacity(set.len());
    let mut path = Vec::new();
    for start in 0..set.len() {
        let mut at = Some(start);
        let under = loop {
            match at {
                Some(row) if set.contains(row) => break true,
                Some(row) if !seen.put(row) => path.push(row),
                // The top, or a row that was seen not to be under one of the set.
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

/// Walks a graph of rows depth first, each row once, and calls `left` with each row after all that it leads to, and
/// `circle` with each circle that is found, as the rows on it.
pub(crate) fn walk(
    rows: u32,
    mut leads_to: impl FnMut(u32, &mut Vec<u32>),
    mut left: impl FnMut(u32, &[u32]),
    mut circle: impl FnMut(&[u32]),
) {
    const UNSEEN: u8 = 0;
    const ON_PATH: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![UNSEEN; rows as usize];
    // What the rows on the path lead to, and which part of it belongs to each of them and is still to be visited.
    let mut edges: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, Range<usize>)> = Vec::new();
    let mut on_path: Vec<u32> = Vec::new();
    for start in 0..rows {
        if state[start as usize] != UNSEEN {
            continue;
        }
        let mut enter = Some(start);
        loop {
            if let Some(row) = enter.take() {
                state[row as usize] = ON_PATH;
                let first = edges.len();
                leads_to(row, &mut edges);
                path.push((row, first..edges.len()));
                on_path.push(row);
            }
            let Some((row, open)) = path.last_mut() else { break };
            if let Some(edge) = open.next() {
                let next = edges[edge];
                match state[next as usize] {
                    UNSEEN => enter = Some(next),
                    ON_PATH => {
                        let from = on_path.iter().position(|&row| row == next).unwrap_or(0);
                        circle(&on_path[from..]);
                    }
                    _ => {}
                }
            } else {
                let row = *row;
                let first = path.iter().rev().nth(1).map_or(0, |(_, above)| above.end);
                left(row, &edges[first..]);
                state[row as usize] = DONE;
                edges.truncate(first);
                path.pop();
                on_path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles among rows that lead to the others given with them, and the rows in the order they are left.
    fn walked(graph: &[&[u32]]) -> (Vec<Vec<u32>>, Vec<u32>) {
        let (mut circles, mut order) = (Vec::new(), Vec::new());
        walk(
            u32::try_from(graph.len()).unwrap(),
            |row, to| to.extend(graph[row as usize]),
            |row, to| {
                assert_eq!(to, graph[row as usize]);
                order.push(row);
            },
            |circle| circles.push(circle.to_vec()),
        );
        (circles, order)
    }

    #[test]
    fn rows_are_left_after_what_they_lead_to() {
        assert_eq!(walked(&[&[1, 2], &[2], &[]]), (vec![], vec![2, 1, 0]));
        assert_eq!(walked(&[&[], &[0], &[0, 1]]), (vec![], vec![0, 1, 2]));
    }

    #[test]
    fn circles_are_found_without_what_leads_to_them() {
        assert_eq!(walked(&[&[1], &[2], &[1]]).0, [[1, 2]]);
        assert_eq!(walked(&[&[0]]).0, [[0]]);
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
