//! Which tasks may start now: those that wait for nothing any more, the one with the longest way to go first. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};

use crate::apply::{Schedule, TaskId};

/// What of a schedule has not started yet. Each task is looked at once for each that it waits for, however many there are.
#[derive(Debug)]
pub struct Queue {
    /// For each task, how many of those that it waits for are not done.
    missing: Vec<usize>,
    /// For each task, those that wait for it.
    followers: Vec<Vec<TaskId>>,
    remaining: Vec<u64>,
    waiting: BTreeSet<TaskId>,
    ready: BTreeSet<(Reverse<u64>, TaskId)>,
}

impl Queue {
    pub fn new(schedule: &Schedule) -> Self {
        let mut queue = Self {
            missing: schedule.after.iter().map(BTreeSet::len).collect(),
            followers: schedule.followers(),
            remaining: schedule.remaining.clone(),
            waiting: (0..schedule.tasks.len()).map(TaskId).collect(),
            ready: BTreeSet::new(),
        };
        let ready: Vec<TaskId> = queue.waiting.iter().copied().filter(|id| queue.missing[id.0] == 0).collect();
        ready.into_iter().for_each(|id| queue.let_in(id));
        queue
    }

    fn let_in(&mut self, id: TaskId) {
        self.ready.insert((Reverse(self.remaining[id.0]), id));
    }

    /// The next ones to start, as many as there is room for.
    pub fn next(&self, room: usize) -> Vec<TaskId> {
        self.ready.iter().take(room).map(|(_, id)| *id).collect()
    }

    /// Takes out what has started, or will not. Says whether it was still there.
    pub fn remove(&mut self, id: TaskId) -> bool {
        self.ready.remove(&(Reverse(self.remaining[id.0]), id));
        self.waiting.remove(&id)
    }

    /// What waited for this task waits for it no longer.
    pub fn finish(&mut self, id: TaskId) {
        for follower in std::mem::take(&mut self.followers[id.0]) {
            self.missing[follower.0] = self.missing[follower.0].saturating_sub(1);
            if self.missing[follower.0] == 0 && self.waiting.contains(&follower) {
                self.let_in(follower);
            }
        }
    }

    /// Takes out what now can never start, since it waits for this task, and gives it in the order of the waiting.
    pub fn lose(&mut self, id: TaskId) -> Vec<TaskId> {
        let (mut lost, mut next) = (Vec::new(), VecDeque::from([id]));
        while let Some(id) = next.pop_front() {
            for follower in std::mem::take(&mut self.followers[id.0]) {
                if self.remove(follower) {
                    lost.push(follower);
                    next.push_back(follower);
                }
            }
        }
        lost
    }

    /// What has never started.
    pub fn into_waiting(self) -> BTreeSet<TaskId> {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each task those that it waits for, and how long its way is to the end of all.
    fn queue(tasks: &[(&[usize], u64)]) -> Queue {
        Queue::new(&Schedule {
            tasks: vec![crate::apply::bound::tests::task(); tasks.len()],
            after: tasks.iter().map(|(after, _)| after.iter().copied().map(TaskId).collect()).collect(),
            remaining: tasks.iter().map(|(_, remaining)| *remaining).collect(),
        })
    }

    fn numbers(ids: Vec<TaskId>) -> Vec<usize> {
        ids.into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn what_has_the_longest_way_to_go_goes_first_once_nothing_is_before_it() {
        let mut queue = queue(&[(&[], 1), (&[], 5), (&[1], 4), (&[0, 2], 1)]);
        assert_eq!(numbers(queue.next(8)), [1, 0]);
        assert_eq!(numbers(queue.next(1)), [1]);
        assert!(queue.remove(TaskId(1)));
        assert_eq!(numbers(queue.next(8)), [0]);
        queue.finish(TaskId(1));
        assert_eq!(numbers(queue.next(8)), [2, 0]);
    }

    #[test]
    fn what_waits_for_a_failure_is_lost_with_all_that_waits_for_it() {
        let mut queue = queue(&[(&[], 3), (&[0], 2), (&[1], 1), (&[], 1)]);
        assert!(queue.remove(TaskId(0)));
        assert_eq!(numbers(queue.lose(TaskId(0))), [1, 2]);
        assert_eq!(numbers(queue.next(8)), [3]);
        assert_eq!(queue.into_waiting(), BTreeSet::from([TaskId(3)]));
    }
}
