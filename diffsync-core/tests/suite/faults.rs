//! A target that fails, hangs, panics or answers late at random: nothing is lost, nothing is counted twice, and repeating
//! brings both sides in line.

use diffsync_core::report::Status;

use crate::draw::{Draw, network, pass_codes_on};
use crate::fake_network::{Batches, Tells, apply, lab_of};
use crate::fake_target::locked;
use crate::net_properties::{Which, answers, expect_once};

#[test]
fn a_thousand_runs_on_an_unreliable_target_end_in_line_when_repeated() {
    let mut most = 0;
    for seed in 0..1_000 {
        let mut draw = Draw::seeded(seed);
        let (mut source, mut target) = (network(&mut draw, true), network(&mut draw, true));
        for side in [&mut source, &mut target] {
            pass_codes_on(&mut draw, side);
        }
        let lab = lab_of(source, target)
            .batching([Batches::Each, Batches::Together, Batches::OneTooFew][draw.below(3)])
            .telling([Tells::Nothing, Tells::Holder, Tells::Field][draw.below(3)]);
        let which = Which::draw(&mut draw);
        let mut rounds = 0;
        loop {
            let mut options = apply();
            options.retry.times = draw.below(3);
            options.concurrency = std::num::NonZeroUsize::new(draw.below(9));
            // The lab compares both sides of each sum, and the names of all that was asked with the diff.
            let lab = lab.clone().answering(answers(seed * 1_000 + rounds, 35));
            let ended = which.run(&lab, options);
            expect_once(&lab);
            lab.forget_calls();
            rounds += 1;
            if ended.report.status == Status::Completed {
                break;
            }
            // With an answer missing the target never says that a value is taken, however often it is asked.
            if rounds == 50 && *locked(&lab.batches) == Batches::OneTooFew {
                *locked(&lab.batches) = Batches::Each;
            }
            assert!(rounds < 100, "seed {seed} does not end: {:?}", ended.undone());
        }
        most = most.max(rounds);
        lab.mend();
        let again = which.run(&lab, apply());
        assert_eq!(again.report.counts.unchanged, again.report.counts.records(), "seed {seed}");
    }
    assert!(most > 3, "the target is reliable");
}
