//! How often AWS lets its APIs be called, and when a call may go so that AWS never has to refuse it. Knows no client and
//! no clock: it is told what time it is.
//!
//! All rates are an account's in a region. Who else calls there at the same time is not seen from here; for that the
//! SDK's retries remain.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::aws::calls::word;

/// A published rate.
#[derive(Debug)]
pub struct Rate {
    /// The service, as the SDK calls it.
    service: &'static str,
    of: Operations,
    allows: Allowance,
    /// The title of the AWS page that says so.
    pub source: &'static str,
}

/// Which operations of a service a rate is for.
#[derive(Debug)]
enum Operations {
    /// Each of these has the rate for itself.
    Each(&'static [&'static str]),
    /// All the others share it.
    TogetherBut(&'static [&'static str]),
}

/// How a rate is stated.
#[derive(Debug, Clone, Copy)]
enum Allowance {
    /// So many calls in any stretch of so many seconds.
    Window { calls: usize, seconds: u64 },
    /// So many calls at once, after which one becomes free so many times a second.
    Bucket { burst: u32, per_second: u32 },
}

const API_GATEWAY: &str = "Amazon API Gateway quotas";
const CLOUDWATCH: &str = "CloudWatch service quotas";
const LAMBDA: &str = "Lambda quotas";
const LOGS: &str = "CloudWatch Logs quotas";
const SNS: &str = "Amazon SNS endpoints and quotas";
const WAF: &str = "AWS WAF quotas";

/// What is published. IAM, SQS and DynamoDB publish nothing for what paystack calls.
pub const RATES: [Rate; 23] = [
    // For regional and private APIs. An edge-optimised one may only follow after 30 seconds, which the operation alone
    // does not tell.
    each("API Gateway", &["CreateRestApi"], window(1, 3), API_GATEWAY),
    each("API Gateway", &["DeleteRestApi"], window(1, 30), API_GATEWAY),
    each("API Gateway", &["CreateDeployment"], window(1, 5), API_GATEWAY),
    each(
        "API Gateway",
        &["CreateResource", "DeleteResource", "CreateApiKey", "DeleteApiKey"],
        window(5, 1),
        API_GATEWAY,
    ),
    each("API Gateway", &["GetResources"], window(5, 2), API_GATEWAY),
    each(
        "API Gateway",
        &["UpdateUsagePlan", "UpdateAccount", "CreateDocumentationVersion"],
        window(1, 20),
        API_GATEWAY,
    ),
    each("API Gateway", &["CreateDomainName", "UpdateDomainName", "DeleteDomainName"], window(1, 30), API_GATEWAY),
    together("API Gateway", &[], Allowance::Bucket { burst: 40, per_second: 10 }, API_GATEWAY),
    each("CloudWatch", &["PutMetricAlarm", "PutCompositeAlarm", "DeleteAlarms"], window(3, 1), CLOUDWATCH),
    each("CloudWatch", &["DescribeAlarms"], window(9, 1), CLOUDWATCH),
    each(
        "CloudWatch",
        &["PutDashboard", "GetDashboard", "ListDashboards", "DeleteDashboards"],
        window(10, 1),
        CLOUDWATCH,
    ),
    each("CloudWatch Logs", &["CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups"], window(5, 1), LOGS),
    each("CloudWatch Logs", &["DescribeMetricFilters", "DescribeSubscriptionFilters"], window(5, 1), LOGS),
    each("Lambda", &["GetFunction"], window(100, 1), LAMBDA),
    each("Lambda", &["GetPolicy"], window(15, 1), LAMBDA),
    together("Lambda", &["GetFunction", "GetPolicy", "Invoke"], window(15, 1), LAMBDA),
    each("SNS", &["Subscribe", "Unsubscribe"], window(100, 1), SNS),
    each("SNS", &["ListTopics", "ListSubscriptionsByTopic"], window(30, 1), SNS),
    each("SNS", &["TagResource", "UntagResource", "ListTagsForResource"], window(10, 1), SNS),
    each("WAFV2", &["AssociateWebACL", "DisassociateWebACL"], window(1, 2), WAF),
    each("WAFV2", &["GetWebACLForResource", "ListResourcesForWebACL"], window(1, 1), WAF),
    each(
        "WAFV2",
        &[
            "CreateIPSet",
            "CreateWebACL",
            "DeleteIPSet",
            "DeleteLoggingConfiguration",
            "DeleteWebACL",
            "PutLoggingConfiguration",
            "UpdateIPSet",
            "UpdateWebACL",
        ],
        window(1, 1),
        WAF,
    ),
    each(
        "WAFV2",
        &["GetIPSet", "GetLoggingConfiguration", "GetWebACL", "ListIPSets", "ListTagsForResource", "ListWebACLs"],
        window(5, 1),
        WAF,
    ),
];

const fn each(
    service: &'static str,
    operations: &'static [&'static str],
    allows: Allowance,
    source: &'static str,
) -> Rate {
    Rate { service, of: Operations::Each(operations), allows, source }
}

const fn together(
    service: &'static str,
    but: &'static [&'static str],
    allows: Allowance,
    source: &'static str,
) -> Rate {
    Rate { service, of: Operations::TogetherBut(but), allows, source }
}

const fn window(calls: usize, seconds: u64) -> Allowance {
    Allowance::Window { calls, seconds }
}

/// One call may be longer on its way to AWS than the next one, which then comes too early: this much is added to windows.
const MARGIN: Duration = Duration::from_millis(100);

/// Who of those that want to call may go, and when: the most urgent first, and of two that are equally urgent the one that asked
/// first. Whoever may not go yet holds up nobody whose rates have room. `W` is by which a waiting one is known.
#[derive(Debug)]
pub struct Turns<W> {
    lines: BTreeMap<Shared, Line>,
    waiting: BTreeMap<Turn, Waiting<W>>,
    asked: u64,
}

/// A place among those that wait; what comes first goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    urgency: Reverse<u64>,
    number: u64,
}

#[derive(Debug)]
struct Waiting<W> {
    who: W,
    rates: Vec<Shared>,
}

impl<W> Default for Turns<W> {
    fn default() -> Self {
        Self { lines: BTreeMap::new(), waiting: BTreeMap::new(), asked: 0 }
    }
}

impl<W> Turns<W> {
    /// Lines up for a call.
    pub fn ask(&mut self, call: Call<'_>, urgency: u64, who: W) -> Turn {
        let turn = Turn { urgency: Reverse(urgency), number: self.asked };
        self.asked += 1;
        let rates: Vec<Shared> = Shared::of(call).collect();
        for rate in &rates {
            self.lines.entry(*rate).or_insert_with(|| Line::new(rate.allows()));
        }
        self.waiting.insert(turn, Waiting { who, rates });
        turn
    }

    /// Lets all go whose rates have room now.
    pub fn let_go(&mut self, now: Duration) -> Vec<W> {
        let Self { lines, waiting, .. } = self;
        let goes = |_: &Turn, it: &mut Waiting<W>| {
            let has_room = it.rates.iter().all(|rate| lines.get(rate).is_none_or(|line| line.opens(1, now) <= now));
            if has_room {
                for rate in &it.rates {
                    lines.entry(*rate).and_modify(|line| line.go(now));
                }
            }
            has_room
        };
        waiting.extract_if(.., goes).map(|(_, it)| it.who).collect()
    }

    /// When somebody may go at the earliest, if nobody more urgent comes; `None` for who waits no longer.
    pub fn opens(&self, turn: Turn, now: Duration) -> Option<Duration> {
        let it = self.waiting.get(&turn)?;
        let moment = |rate: &Shared| {
            let before = self.waiting.range(..turn).filter(|(_, other)| other.rates.contains(rate)).count();
            self.lines.get(rate).map_or(now, |line| line.opens(before + 1, now))
        };
        Some(it.rates.iter().map(moment).max().unwrap_or(now))
    }

    /// Somebody does not want to call any more.
    pub fn leave(&mut self, turn: Turn) {
        self.waiting.remove(&turn);
    }
}

/// What calls share that count for the same rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared(usize, &'static str);

impl Shared {
    /// All rates that a call counts for.
    pub fn of(call: Call<'_>) -> impl Iterator<Item = Self> {
        let counts = |(index, rate): (usize, &Rate)| Some(Self(index, rate.counts(call.service, call.operation)?));
        RATES.iter().enumerate().filter_map(counts)
    }

    /// When the last one of so many calls goes at the earliest, after the first.
    pub fn last_of(self, calls: usize) -> Duration {
        Line::new(self.allows()).opens(calls, Duration::ZERO)
    }

    fn allows(self) -> Allowance {
        RATES[self.0].allows
    }
}

/// A call as the SDK names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// `API Gateway`.
    pub service: &'a str,
    /// `CreateRestApi`.
    pub operation: &'a str,
}

impl<'a> Call<'a> {
    /// A call written as `apigateway.CreateRestApi`; `None` for a service without rates.
    pub fn named(name: &'a str) -> Option<Self> {
        let (service, operation) = name.split_once('.')?;
        let rate = RATES.iter().find(|rate| word(rate.service) == service)?;
        Some(Self { service: rate.service, operation })
    }
}

impl Rate {
    /// Under which name a call counts for this rate, if it does: its own, or none where a rate is shared.
    fn counts(&self, service: &str, operation: &str) -> Option<&'static str> {
        if self.service != service {
            return None;
        }
        match self.of {
            Operations::Each(names) => names.iter().find(|name| **name == operation).copied(),
            Operations::TogetherBut(others) => (!others.contains(&operation)).then_some(""),
        }
    }
}

/// The calls that count for one rate.
#[derive(Debug)]
struct Line {
    allows: Allowance,
    /// When a bucket is full again.
    full_at: Duration,
    /// When the last calls went, in order: as many as a window allows.
    recent: VecDeque<Duration>,
}

impl Line {
    fn new(allows: Allowance) -> Self {
        Self { allows, full_at: Duration::ZERO, recent: VecDeque::new() }
    }

    /// When the next call may go, or with a greater `nth` the one so many after it, if all go as early as they may.
    fn opens(&self, nth: usize, now: Duration) -> Duration {
        match self.allows {
            Allowance::Window { calls: limit, seconds } => {
                let (windows, place) = (nth.saturating_sub(1) / limit, nth.saturating_sub(1) % limit);
                // The call that is one window's calls before it.
                let before = (self.recent.len() + place).checked_sub(limit).and_then(|index| self.recent.get(index));
                before.map_or(now, |before| now.max(*before + length(seconds))) + length(seconds) * times(windows)
            }
            Allowance::Bucket { burst, per_second } => {
                let full_at = self.full_at.max(now) + interval(per_second) * times(nth);
                now.max(full_at.saturating_sub(interval(per_second) * burst))
            }
        }
    }

    fn go(&mut self, at: Duration) {
        match self.allows {
            Allowance::Window { calls, .. } => {
                self.recent.push_back(at);
                if self.recent.len() > calls {
                    self.recent.pop_front();
                }
            }
            Allowance::Bucket { per_second, .. } => self.full_at = self.full_at.max(at) + interval(per_second),
        }
    }
}

fn times(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn length(seconds: u64) -> Duration {
    Duration::from_secs(seconds) + MARGIN
}

fn interval(per_second: u32) -> Duration {
    Duration::from_secs(1) / per_second
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// When calls go that ask so, in the order of asking: the operation, the moment, and how urgent it is.
    fn played<'a>(service: &str, asked: impl IntoIterator<Item = (&'a str, Duration, u64)>) -> Vec<Duration> {
        let asked: Vec<_> = asked.into_iter().collect();
        let (mut turns, mut went, mut now) = (Turns::default(), vec![Duration::MAX; asked.len()], Duration::ZERO);
        let mut waiting = Vec::new();
        let mut next = 0;
        loop {
            while let Some((operation, _, urgency)) = asked.get(next).filter(|(_, at, _)| *at <= now) {
                waiting.push(turns.ask(Call { service, operation }, *urgency, next));
                next += 1;
            }
            turns.let_go(now).into_iter().for_each(|index| went[index] = now);
            waiting.retain(|turn| turns.opens(*turn, now).is_some());
            let opens = waiting.iter().filter_map(|turn| turns.opens(*turn, now));
            let Some(moment) = opens.chain(asked.get(next).map(|(_, at, _)| *at)).min() else { return went };
            assert!(moment > now, "time passes");
            now = moment;
        }
    }

    /// When calls go that all ask at once, and are equally urgent.
    fn seconds_of(service: &str, operations: &[&str]) -> Vec<f64> {
        let moments = played(service, operations.iter().map(|operation| (*operation, Duration::ZERO, 0)));
        moments.iter().map(Duration::as_secs_f64).collect()
    }

    #[test]
    fn a_single_call_never_waits() {
        for rate in &RATES {
            let operations = match rate.of {
                Operations::Each(names) => names,
                Operations::TogetherBut(_) => &["GetTags"],
            };
            for operation in operations {
                assert_eq!(seconds_of(rate.service, &[operation]), [0.0], "{} {operation}", rate.service);
            }
        }
    }

    #[test]
    fn as_many_calls_as_are_allowed_in_a_second_go_at_once_and_the_others_after_it() {
        assert_eq!(seconds_of("CloudWatch", &["PutMetricAlarm"; 7]), [0.0, 0.0, 0.0, 1.1, 1.1, 1.1, 2.2]);
    }

    #[test]
    fn apis_are_deleted_one_in_half_a_minute() {
        assert_eq!(seconds_of("API Gateway", &["DeleteRestApi"; 3]), [0.0, 30.1, 60.2]);
    }

    #[test]
    fn after_a_burst_calls_go_at_the_rate() {
        let moments = seconds_of("API Gateway", &["GetMethod"; 43]);
        assert_eq!(moments[..40], [0.0; 40]);
        assert_eq!(moments[40..], [0.1, 0.2, 0.3]);
    }

    #[test]
    fn a_burst_is_allowed_again_after_a_rest() {
        let bursts = [0, 20, 60].map(Duration::from_secs);
        let asked = bursts.iter().flat_map(|at| [("GetMethod", *at, 0); 41]);
        let moments = played("API Gateway", asked);
        let at_once = |burst: &Duration| moments.iter().filter(|at| *at == burst).count();
        assert_eq!(bursts.each_ref().map(at_once), [40, 40, 40]);
    }

    #[test]
    fn what_is_urgent_goes_before_what_has_asked_earlier() {
        let at = Duration::from_secs;
        let asked = [("DeleteRestApi", at(0), 1), ("DeleteRestApi", at(0), 1), ("DeleteRestApi", at(5), 9)];
        let moments = played("API Gateway", asked).into_iter().map(|at| at.as_secs_f64());
        assert_eq!(moments.collect::<Vec<_>>(), [0.0, 60.2, 30.1]);
    }

    #[test]
    fn who_leaves_holds_up_nobody() {
        let (mut turns, now) = (Turns::default(), Duration::ZERO);
        let call = Call { service: "API Gateway", operation: "DeleteRestApi" };
        let [_, second, third] = ["first", "second", "third"].map(|who| turns.ask(call, 0, who));
        assert_eq!(turns.let_go(now), ["first"]);
        assert_eq!(turns.opens(third, now), Some(Duration::from_millis(60_200)));
        turns.leave(second);
        assert_eq!(turns.opens(third, now), Some(Duration::from_millis(30_100)));
    }

    #[test]
    fn slow_operations_hold_up_no_others() {
        let operations = ["CreateRestApi", "CreateRestApi", "DeleteRestApi", "DeleteRestApi", "GetMethod", "GetMethod"];
        assert_eq!(seconds_of("API Gateway", &operations), [0.0, 3.1, 0.0, 30.1, 0.0, 0.0]);
    }

    #[test]
    fn operations_share_the_rate_that_is_theirs_together() {
        let mut operations = ["ListTags"; 15].to_vec();
        operations.extend(["CreateFunction", "GetFunction", "GetPolicy"]);
        let moments = seconds_of("Lambda", &operations);
        assert_eq!(moments[15..], [1.1, 0.0, 0.0]);
    }

    #[test]
    fn what_has_no_published_rate_does_not_wait() {
        assert!(seconds_of("IAM", &["CreateRole"; 100]).into_iter().all(|at| at == 0.0));
    }

    fn operations() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["CreateRestApi", "CreateResource", "GetResources", "GetMethod", "UpdateAccount"])
    }

    proptest! {
        #[test]
        fn no_rate_is_ever_exceeded(asked in prop::collection::vec((operations(), 0..400u64), 1..120)) {
            let calls = one_after_the_other(&asked);
            for rate in RATES.iter().filter(|rate| rate.service == "API Gateway") {
                for who in operations_of(rate) {
                    let counted = calls.iter().filter(|(it, ..)| rate.counts("API Gateway", it) == Some(who));
                    let mut moments: Vec<_> = counted.map(|(_, _, at)| *at).collect();
                    moments.sort();
                    for (first, from) in moments.iter().enumerate() {
                        for (last, to) in moments.iter().enumerate().skip(first) {
                            let (count, within) = (last - first + 1, *to - *from);
                            match rate.allows {
                                Allowance::Window { calls, seconds } => {
                                    prop_assert!(count <= calls || within >= Duration::from_secs(seconds));
                                }
                                Allowance::Bucket { burst, per_second } => {
                                    let allowed = f64::from(burst) + f64::from(per_second) * within.as_secs_f64();
                                    prop_assert!(count as f64 <= allowed + 1e-6);
                                }
                            }
                        }
                    }
                }
            }
        }

        #[test]
        fn calls_of_one_operation_go_in_the_order_of_asking(
            asked in prop::collection::vec((operations(), 0..400u64), 1..120),
        ) {
            let calls = one_after_the_other(&asked);
            for (index, (operation, asked_at, at)) in calls.iter().enumerate() {
                prop_assert!(at >= asked_at);
                let before = calls[..index].iter().filter(|(it, ..)| it == operation);
                prop_assert!(before.into_iter().all(|(_, _, earlier)| earlier <= at));
            }
        }
    }

    /// Calls, each so many milliseconds after the one before: when they ask, and when they go.
    fn one_after_the_other(asked: &[(&'static str, u64)]) -> Vec<(&'static str, Duration, Duration)> {
        let mut now = Duration::ZERO;
        let asks = asked.iter().map(|(operation, pause_ms)| {
            now += Duration::from_millis(*pause_ms);
            (*operation, now, 0)
        });
        let asks: Vec<_> = asks.collect();
        let moments = played("API Gateway", asks.iter().copied());
        asks.iter().zip(moments).map(|((operation, asked_at, _), at)| (*operation, *asked_at, at)).collect()
    }

    fn operations_of(rate: &Rate) -> Vec<&'static str> {
        match rate.of {
            Operations::Each(names) => names.to_vec(),
            Operations::TogetherBut(_) => vec![""],
        }
    }
}
