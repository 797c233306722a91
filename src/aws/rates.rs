//! How often AWS lets its APIs be called, and when a call may go so that AWS never has to refuse it. Knows no client and
//! no clock: it is told what time it is.
//!
//! All rates are an account's in a region. Who else calls there at the same time is not seen from here; for that the
//! SDK's retries remain.

use std::collections::BTreeMap;
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

/// When the calls of a run go.
///
/// A call is given its moment when it asks; calls that ask later fill the gaps that the rates leave. So an operation that
/// may go once in 30 seconds holds up no other operation, and calls of one operation go in the order of asking.
#[derive(Debug, Default)]
pub struct Timetable {
    lines: BTreeMap<(usize, &'static str), Line>,
}

impl Timetable {
    /// Books the earliest moment, `now` or later, at which a call keeps all the rates that are for it.
    pub fn book(&mut self, service: &str, operation: &str, now: Duration) -> Duration {
        let mut candidates = vec![now];
        let mut concerned = Vec::new();
        for (index, rate) in RATES.iter().enumerate() {
            let Some(who) = rate.counts(service, operation) else { continue };
            let line = self.lines.entry((index, who)).or_insert_with(|| Line::new(rate.allows));
            line.forget_before(now);
            candidates.extend(line.openings().into_iter().filter(|opening| *opening > now));
            concerned.push((index, who));
        }
        candidates.sort_unstable();
        let lines = &mut self.lines;
        let fits = |at: &Duration| concerned.iter().all(|key| lines.get(key).is_none_or(|line| line.fits(*at)));
        // Behind everything that is booked, there is room in every line.
        let at = candidates.iter().copied().find(fits).or(candidates.last().copied()).unwrap_or(now);
        for key in &concerned {
            if let Some(line) = lines.get_mut(key) {
                line.book(at);
            }
        }
        at
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
        let times = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match RATES[self.0].allows {
            Allowance::Window { calls: limit, seconds } => length(seconds) * times(calls.saturating_sub(1) / limit),
            Allowance::Bucket { burst, per_second } => interval(per_second) * times(calls).saturating_sub(burst),
        }
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
    /// When a bucket is full again, by all that has been forgotten.
    full_at: Duration,
    /// In order.
    booked: Vec<Duration>,
}

impl Line {
    fn new(allows: Allowance) -> Self {
        Self { allows, full_at: Duration::ZERO, booked: Vec::new() }
    }

    /// Drops what no longer matters for moments from `now` on.
    fn forget_before(&mut self, now: Duration) {
        match self.allows {
            Allowance::Window { seconds, .. } => self.booked.retain(|at| *at + length(seconds) > now),
            Allowance::Bucket { per_second, .. } => {
                let past = self.booked.partition_point(|at| *at <= now);
                for at in self.booked.drain(..past) {
                    self.full_at = self.full_at.max(at) + interval(per_second);
                }
            }
        }
    }

    /// The first moments of the stretches in which another call may fit.
    fn openings(&self) -> Vec<Duration> {
        match self.allows {
            Allowance::Window { seconds, .. } => self.booked.iter().map(|at| *at + length(seconds)).collect(),
            Allowance::Bucket { burst, per_second } => {
                let others = interval(per_second) * burst.saturating_sub(1);
                let mut full_at = self.full_at;
                let after = self.booked.iter().map(|at| {
                    full_at = full_at.max(*at) + interval(per_second);
                    full_at.saturating_sub(others).max(*at)
                });
                std::iter::once(self.full_at.saturating_sub(others)).chain(after.collect::<Vec<_>>()).collect()
            }
        }
    }

    /// Whether the rate is kept when one more call goes at this moment.
    fn fits(&self, at: Duration) -> bool {
        let place = self.booked.partition_point(|it| *it <= at);
        match self.allows {
            // Only calls that are less than a window away from this one can be too many with it.
            Allowance::Window { calls: limit, seconds } => {
                let (before, after) = self.booked.split_at(place);
                let before = &before[place.saturating_sub(limit)..];
                let near: Vec<Duration> =
                    before.iter().copied().chain([at]).chain(after.iter().copied().take(limit)).collect();
                near.iter().zip(near.iter().skip(limit)).all(|(first, last)| *last - *first >= length(seconds))
            }
            Allowance::Bucket { burst, per_second } => {
                let mut calls = self.booked.clone();
                calls.insert(place, at);
                let mut full_at = self.full_at;
                calls.into_iter().all(|at| {
                    full_at = full_at.max(at) + interval(per_second);
                    full_at - at <= interval(per_second) * burst
                })
            }
        }
    }

    fn book(&mut self, at: Duration) {
        self.booked.insert(self.booked.partition_point(|it| *it <= at), at);
    }
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

    /// When calls go that all ask at once.
    fn seconds_of(service: &str, operations: &[&str]) -> Vec<f64> {
        let mut timetable = Timetable::default();
        let moments = operations.iter().map(|operation| timetable.book(service, operation, Duration::ZERO));
        moments.map(|at| at.as_secs_f64()).collect()
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
        let mut timetable = Timetable::default();
        let mut burst_at = |now| {
            let now = Duration::from_secs(now);
            (0..40).filter(|_| timetable.book("API Gateway", "GetMethod", now) == now).count()
        };
        assert_eq!([burst_at(0), burst_at(20), burst_at(20), burst_at(60)], [40, 40, 0, 40]);
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
            let calls = played(&asked);
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
            let calls = played(&asked);
            for (index, (operation, asked_at, at)) in calls.iter().enumerate() {
                prop_assert!(at >= asked_at);
                let before = calls[..index].iter().filter(|(it, ..)| it == operation);
                prop_assert!(before.into_iter().all(|(_, _, earlier)| earlier <= at));
            }
        }
    }

    /// Calls, each so many milliseconds after the one before: when they ask, and when they go.
    fn played(asked: &[(&'static str, u64)]) -> Vec<(&'static str, Duration, Duration)> {
        let (mut timetable, mut now) = (Timetable::default(), Duration::ZERO);
        let calls = asked.iter().map(|(operation, pause_ms)| {
            now += Duration::from_millis(*pause_ms);
            (*operation, now, timetable.book("API Gateway", operation, now))
        });
        calls.collect()
    }

    fn operations_of(rate: &Rate) -> Vec<&'static str> {
        match rate.of {
            Operations::Each(names) => names.to_vec(),
            Operations::TogetherBut(_) => vec![""],
        }
    }
}
