//! Joining the rows of the two sides by identifier.
//!
//! Two systems often list their records in the same order, so the row after the last match is tried first, which needs no
//! hash and no random access. If the order differs, each lookup causes a few cache misses. They are batched for a block of
//! rows (hash all, probe all, prefetch all, then compare), so that the processor waits for many of them at the same time.

use std::array;
use std::hint::black_box;

use crate::data::table::{Table, hash, row};
use crate::model::SyncModel;

/// The number of rows whose memory is fetched together. Half as many were slower, and more were no faster.
const BLOCK: usize = 64;

/// Calls `pair` for each row of the source, in order, with the row of the target that has its identifier.
pub(super) fn join<M: SyncModel>(source: &Table<M>, target: &Table<M>, mut pair: impl FnMut(u32, Option<u32>)) {
    let mut order = Order { in_order: true, next: 0 };
    let mut first = 0u32;

    for block in source.rows().chunks(BLOCK) {
        if order.in_order {
            in_order(block, target, &mut order, |row, found| pair(first + row, found));
        } else {
            scattered(block, target, &mut order, |row, found| pair(first + row, found));
        }
        first += row(block.len());
    }
}

/// The target's order relative to the source's.
struct Order {
    in_order: bool,
    /// The row that comes next in the target if both sides are in the same order.
    next: u32,
}

fn in_order<M: SyncModel>(block: &[M], target: &Table<M>, order: &mut Order, mut pair: impl FnMut(u32, Option<u32>)) {
    let mut misses = 0;
    for (row, record) in (0u32..).zip(block) {
        let key = record.key();
        let expected = target.rows().get(order.next as usize).filter(|candidate| candidate.is(key));
        let found = if expected.is_some() {
            Some(order.next)
        } else {
            misses += 1;
            target.position(key)
        };

        if let Some(found) = found {
            order.next = found + 1;
        }
        pair(row, found);
    }

    order.in_order = misses <= BLOCK / 4;
}

fn scattered<M: SyncModel>(block: &[M], target: &Table<M>, order: &mut Order, mut pair: impl FnMut(u32, Option<u32>)) {
    let hashes: [u64; BLOCK] = array::from_fn(|i| block.get(i).map_or(0, |record| hash::<M>(record.key())));
    let mut candidates: [Option<u32>; BLOCK] = [None; BLOCK];
    for (candidate, hash) in candidates.iter_mut().zip(hashes).take(block.len()) {
        *candidate = target.candidate(hash);
    }

    // The sum only keeps the reads from being optimised away.
    let rows = target.rows();
    let touched = candidates.iter().flatten().fold(0usize, |sum, &row| sum.wrapping_add(rows[row as usize].prefetch()));
    black_box(touched);

    let mut in_sequence = 0;
    for (i, record) in block.iter().enumerate() {
        let key = record.key();
        let found = match candidates[i] {
            None => None,
            Some(row) if rows[row as usize].is(key) => Some(row),
            // Another row shares the seven bits of the hash that the first probe compares.
            Some(_) => target.position_hashed(hashes[i], key),
        };
        if let Some(found) = found {
            in_sequence += usize::from(found == order.next);
            order.next = found + 1;
        }
        pair(row(i), found);
    }
    order.in_order = in_sequence > BLOCK * 3 / 4;
}
