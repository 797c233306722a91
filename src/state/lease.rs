//! Leases: locks that end when whoever has them renews them no longer. Knows no table and asks no clock.
//!
//! The clocks of two machines are never compared. Whoever wants a lease that another has watches it, and takes it over when it
//! has not been renewed for as long as it holds, measured by the watcher alone. Whoever was only paused learns it from the
//! first thing that it wants to write: every write has the lease as its condition.

use std::time::Duration;

use jiff::Timestamp;

use crate::state::{Holder, Sign};

/// A lease as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub holder: Holder,
    /// No two leases have the same.
    pub token: String,
    /// Counts how often it was renewed.
    pub renewals: u64,
    /// How long it holds from each renewal on, for those who watch it.
    pub duration: Duration,
}

/// What somebody who wants a lease has seen of it so far.
#[derive(Debug, Default)]
pub struct Watch(Option<Sight>);

#[derive(Debug)]
struct Sight {
    token: String,
    renewals: u64,
    since: Duration,
    sign: Sign,
}

/// What there is to make of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Free,
    /// It may be taken over, if it is still as it was seen.
    Over,
    Held(Sign),
}

impl Watch {
    /// Takes one more look: `asked` is the moment before the question for the lease, `seen` the one after the answer.
    pub fn look(&mut self, lease: Option<&Lease>, asked: Duration, seen: Duration) -> Verdict {
        let Some(lease) = lease else {
            self.0 = None;
            return Verdict::Free;
        };
        let sign = match &self.0 {
            Some(sight) if sight.token == lease.token && sight.renewals == lease.renewals => {
                let unchanged = asked.saturating_sub(sight.since);
                return if unchanged >= lease.duration { Verdict::Over } else { Verdict::Held(sight.sign) };
            }
            Some(_) => Sign::Renewed,
            None => Sign::None,
        };
        self.0 = Some(Sight { token: lease.token.clone(), renewals: lease.renewals, since: seen, sign });
        Verdict::Held(sign)
    }
}

/// When a lease was renewed last, by its holder's own clocks.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    /// Does not count the time for which a machine sleeps.
    pub monotonic: Duration,
    /// Jumps when it is set.
    pub wall: Timestamp,
}

impl Renewal {
    /// Whether nobody can have taken the lease over yet. Time has passed if either clock says so.
    pub fn still_holds(&self, now: Self, duration: Duration) -> bool {
        let awake = now.monotonic.saturating_sub(self.monotonic);
        let wall = Duration::try_from(now.wall.duration_since(self.wall)).unwrap_or_default();
        awake.max(wall) < duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DURATION: u64 = 30;

    fn lease(token: &str, renewals: u64) -> Lease {
        let holder =
            Holder { command: "apply".to_owned(), caller: "ada".to_owned(), process: 7, since: Timestamp::UNIX_EPOCH };
        Lease { holder, token: token.to_owned(), renewals, duration: Duration::from_secs(DURATION) }
    }

    /// What is made of looks at these seconds.
    fn verdicts(looks: &[(u64, Option<Lease>)]) -> Vec<Verdict> {
        let mut watch = Watch::default();
        let looks = looks.iter().map(|(second, lease)| {
            let moment = Duration::from_secs(*second);
            watch.look(lease.as_ref(), moment, moment)
        });
        looks.collect()
    }

    #[test]
    fn what_nobody_has_is_free() {
        assert_eq!(verdicts(&[(0, None)]), [Verdict::Free]);
        assert_eq!(verdicts(&[(0, Some(lease("a", 0))), (1, None)]), [Verdict::Held(Sign::None), Verdict::Free]);
    }

    #[test]
    fn a_lease_that_is_not_renewed_is_over_when_it_was_watched_for_as_long_as_it_holds() {
        let same = |second| (second, Some(lease("a", 4)));
        assert_eq!(
            verdicts(&[same(100), same(115), same(129), same(130)]),
            [Verdict::Held(Sign::None), Verdict::Held(Sign::None), Verdict::Held(Sign::None), Verdict::Over]
        );
    }

    #[test]
    fn a_lease_that_is_renewed_is_in_use_and_the_watch_begins_anew() {
        let looks = [(0, Some(lease("a", 4))), (29, Some(lease("a", 5))), (58, Some(lease("a", 5)))];
        let mut looks = looks.to_vec();
        looks.push((59, Some(lease("a", 5))));
        assert_eq!(
            verdicts(&looks),
            [Verdict::Held(Sign::None), Verdict::Held(Sign::Renewed), Verdict::Held(Sign::Renewed), Verdict::Over]
        );
    }

    #[test]
    fn somebody_else_who_was_faster_is_in_the_midst_of_something() {
        let looks = [(0, Some(lease("a", 4))), (30, Some(lease("b", 4))), (59, Some(lease("b", 4)))];
        assert_eq!(
            verdicts(&looks),
            [Verdict::Held(Sign::None), Verdict::Held(Sign::Renewed), Verdict::Held(Sign::Renewed)]
        );
    }

    #[test]
    fn a_slow_answer_does_not_count_as_watching() {
        let mut watch = Watch::default();
        let second = Duration::from_secs;
        let lease = lease("a", 4);
        assert_eq!(watch.look(Some(&lease), second(0), second(20)), Verdict::Held(Sign::None));
        assert_eq!(watch.look(Some(&lease), second(30), second(55)), Verdict::Held(Sign::None));
        assert_eq!(watch.look(Some(&lease), second(50), second(50)), Verdict::Over);
    }

    #[test]
    fn a_holder_trusts_its_lease_only_while_both_of_its_clocks_let_it() {
        let at = |monotonic, wall| Renewal {
            monotonic: Duration::from_secs(monotonic),
            wall: Timestamp::from_second(wall).expect("a moment"),
        };
        let duration = Duration::from_secs(DURATION);
        let holds = |now| at(100, 1_000).still_holds(now, duration);
        assert!(holds(at(129, 1_029)));
        assert!(!holds(at(130, 1_030)));
        // It slept.
        assert!(!holds(at(101, 5_000)));
        // Its clock was set back.
        assert!(holds(at(129, 500)) && !holds(at(130, 500)));
    }
}
