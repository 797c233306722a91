//! When a call that failed is made again: by the class of its error, after a pause that grows and varies, until a deadline.
//!
//! The SDK's own strategy cannot be exchanged from outside, but before each attempt it looks up how many attempts there may
//! be, and interceptors may write that down: here they allow one more, or none. The pause itself is waited out in
//! [`gate`](crate::aws::gate), which every attempt passes. What a handler waits for (a role to be known, a table to be
//! active) is not known here: see [`wait`](crate::aws::wait).

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextMut, FinalizerInterceptorContextRef,
    InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

use crate::aws::clock::Clock;
use crate::aws::error::{ErrorClass, Tried, class_of_code, short};

/// How long and how patiently the errors of one class are met.
#[derive(Debug, Clone, Copy)]
struct Backoff {
    /// The longest that the first pause can be; each one after it can be twice as long.
    first: Duration,
    longest: Duration,
    /// For how long a call may fail before its error is given back.
    deadline: Duration,
}

/// What is met with another attempt whatever the operation. All other errors are answers: the handler knows what they mean.
const fn backoff(class: ErrorClass) -> Option<Backoff> {
    match class {
        ErrorClass::Throttled => Some(Backoff {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            deadline: Duration::from_secs(300),
        }),
        ErrorClass::Service | ErrorClass::Unreachable => Some(Backoff {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(10),
            deadline: Duration::from_secs(120),
        }),
        ErrorClass::NotFound
        | ErrorClass::AlreadyExists
        | ErrorClass::Conflict
        | ErrorClass::Quota
        | ErrorClass::Denied
        | ErrorClass::Credentials
        | ErrorClass::Invalid
        | ErrorClass::Deadline => None,
    }
}

/// Operations that, sent twice, make a second thing or are refused as done: when their answer is lost, only the handler can
/// tell whether they were done, by looking. Throttled, they were not.
const ONCE: [(&str, &str); 19] = [
    // None of these has a unique name.
    ("API Gateway", "CreateApiKey"),
    ("API Gateway", "CreateAuthorizer"),
    ("API Gateway", "CreateDeployment"),
    ("API Gateway", "CreateRequestValidator"),
    ("API Gateway", "CreateRestApi"),
    ("API Gateway", "CreateUsagePlan"),
    ("API Gateway", "CreateVpcLink"),
    ("API Gateway", "GenerateClientCertificate"),
    // What a patch adds or removes can be added or removed once.
    ("API Gateway", "UpdateDomainName"),
    ("API Gateway", "UpdateMethod"),
    ("API Gateway", "UpdateMethodResponse"),
    ("API Gateway", "UpdateRestApi"),
    ("API Gateway", "UpdateStage"),
    ("API Gateway", "UpdateUsagePlan"),
    ("CloudWatch Logs", "PutQueryDefinition"),
    // A step whose end is there already is a mistake.
    ("DynamoDB", "UpdateTable"),
    // Each call makes another version. IAM keeps five.
    ("IAM", "CreatePolicyVersion"),
    ("Lambda", "CreateCodeSigningConfig"),
    ("Lambda", "PublishLayerVersion"),
];

/// What the attempts of one call have come to.
#[derive(Debug, Default)]
struct Tries {
    times: u32,
    /// The longest one of those that its errors have: a throttled call may fail otherwise meanwhile.
    deadline: Duration,
}

impl Tries {
    /// Counts an attempt that failed with an error of this class, so long after the call began; gives the pause before the
    /// next one, or nothing where there is none. `asked` is what the service asks to be left alone for, `jitter` a number
    /// from 0 to 1.
    fn failed(
        &mut self,
        class: ErrorClass,
        elapsed: Duration,
        asked: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        self.times += 1;
        let backoff = backoff(class)?;
        self.deadline = self.deadline.max(backoff.deadline);
        let left = self.deadline.checked_sub(elapsed).filter(|left| !left.is_zero())?;
        let doubled = 2_u32.saturating_pow(self.times - 1);
        let pause = backoff.first.saturating_mul(doubled).min(backoff.longest).mul_f64(jitter);
        Some(pause.max(asked.unwrap_or_default()).min(left))
    }
}

/// One call on its way, as everything that its attempts pass sees it.
#[derive(Debug, Clone)]
pub struct Call(Arc<Mutex<Progress>>);

#[derive(Debug)]
struct Progress {
    started: Duration,
    /// For how long our own rates have held it up, which is not AWS's fault.
    held: Duration,
    /// What to wait before the next attempt.
    pause: Duration,
    tries: Tries,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Call {
    fn start(now: Duration) -> Self {
        let progress = Progress { started: now, held: Duration::ZERO, pause: Duration::ZERO, tries: Tries::default() };
        Self(Arc::new(Mutex::new(progress)))
    }

    /// The pause that the last attempt has earned; none before the first one.
    pub fn take_pause(&self) -> Duration {
        std::mem::take(&mut self.progress().pause)
    }

    /// Says that the call waited for our own rates.
    pub fn held_up(&self, wait: Duration) {
        self.progress().held += wait;
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started).saturating_sub(self.held)
    }
}

/// Decides after each attempt whether there is another one.
pub struct Retries {
    clock: Arc<dyn Clock>,
}

impl Retries {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Retries")
    }
}

impl Intercept for Retries {
    fn name(&self) -> &'static str {
        "Retries"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(Call::start(self.clock.monotonic()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(Err(error)), Some(call)) = (context.output_or_error(), config.load::<Call>().cloned()) else {
            return Ok(());
        };
        let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        let response = context.response();
        let class = class(error, response).unwrap_or_else(|| class_by_the_sdk(components, context.inner()));
        let mut progress = call.progress();
        let elapsed = progress.elapsed(self.clock.monotonic());
        let pause = progress.tries.failed(class, elapsed, asked(response), self.clock.jitter());
        let pause = match pause {
            Some(_) if may_be_done(class) && config.load::<Metadata>().is_some_and(is_once) => None,
            // A wrong clock is set right by the refusal itself; the SDK then signs anew.
            None if attempt == 1 && is_skewed(class, components, context.inner()) => Some(Duration::ZERO),
            pause => pause,
        };
        progress.pause = pause.unwrap_or_default();
        let attempts = if pause.is_some() { attempt.saturating_add(1) } else { attempt };
        let allowed = RetryConfig::standard().with_max_attempts(attempts).with_max_backoff(Duration::ZERO);
        config.interceptor_state().store_put(allowed);
        Ok(())
    }

    fn modify_before_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(call) = config.load::<Call>() else { return Ok(()) };
        let progress = call.progress();
        let tried = Tried { times: progress.tries.times, within: progress.elapsed(self.clock.monotonic()) };
        if let Some(response) = context.response_mut() {
            response.add_extension(tried);
        } else if let Some(Err(error)) = context.output_or_error_mut()
            && error.as_connector_error().is_some_and(|error| error.is_io() || error.is_timeout())
        {
            let unanswered = std::mem::replace(error, OrchestratorError::other(""));
            let source = Unanswered { tried, source: Box::new(unanswered) };
            *error = OrchestratorError::connector(ConnectorError::io(Box::new(source)));
        }
        Ok(())
    }
}

/// A call that no answer came to, with what was tried.
#[derive(Debug)]
struct Unanswered {
    tried: Tried,
    source: BoxError,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no answer came")
    }
}

impl Error for Unanswered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// How often the call was made that came to this error, and in what time.
pub fn tried<E>(error: &SdkError<E, HttpResponse>) -> Option<Tried>
where
    E: Error + 'static,
{
    if let Some(response) = error.raw_response() {
        return response.extension::<Tried>().copied();
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(unanswered) = error.downcast_ref::<Unanswered>() {
            return Some(unanswered.tried);
        }
        cause = error.source();
    }
    None
}

/// Tells the SDK that every error may be met with another attempt; [`Retries`] says how many there are.
#[derive(Debug)]
pub struct WhateverTheError;

impl ClassifyRetry for WhateverTheError {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if context.is_failed() { RetryAction::server_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "WhateverTheError"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_once(call: &Metadata) -> bool {
    ONCE.contains(&(call.service(), call.name()))
}

/// Whether an error of this class leaves open what was done.
pub const fn may_be_done(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Service | ErrorClass::Unreachable)
}

/// What the error means; nothing where its code is not to be found here.
fn class<E>(error: &OrchestratorError<E>, response: Option<&HttpResponse>) -> Option<ErrorClass> {
    if let Some(error) = error.as_connector_error() {
        let is_passing = error.is_io() || error.is_timeout() || error.as_other().is_some();
        return Some(if is_passing { ErrorClass::Unreachable } else { ErrorClass::Invalid });
    }
    match response {
        _ if error.is_timeout_error() || error.is_response_error() => Some(ErrorClass::Unreachable),
        Some(response) if error.is_operation_error() => {
            let (code, status) = (code_in(response), response.status());
            let tells = code.is_some() || status.is_server_error() || status.as_u16() == 429;
            tells.then(|| class_of_code(short(&code.unwrap_or_default()), Some(status.as_u16())))
        }
        _ => Some(ErrorClass::Invalid),
    }
}

/// What the SDK takes the error for, which has read it in every protocol.
fn class_by_the_sdk(components: &RuntimeComponents, context: &InterceptorContext) -> ErrorClass {
    let is_throttle = |action| match action {
        RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) => kind == ErrorKind::ThrottlingError,
        _ => false,
    };
    let throttles = components.retry_classifiers().any(|it| is_throttle(it.classify_retry(context)));
    if throttles { ErrorClass::Throttled } else { ErrorClass::Invalid }
}

/// The error's code where each of AWS's protocols has it. The SDK's own reading of it is typed by operation, which cannot be
/// had here.
fn code_in(response: &HttpResponse) -> Option<String> {
    let header = |name| response.headers().get(name);
    if let Some(code) = header("x-amzn-query-error").and_then(|value| value.split(';').next()) {
        return Some(code.to_owned());
    }
    if let Some(code) = header("x-amzn-errortype") {
        return Some(code.to_owned());
    }
    let body = response.body().bytes()?;
    if let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) {
        let code = ["__type", "code", "Code"].iter().find_map(|name| body.get(name)?.as_str());
        return code.map(str::to_owned);
    }
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

/// For how long the service asks to be left alone: a header in milliseconds.
fn asked(response: Option<&HttpResponse>) -> Option<Duration> {
    let milliseconds = response?.headers().get("x-amz-retry-after")?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

/// Whether the SDK finds that the machine's clock is wrong, which the service shows by refusing the signature.
fn is_skewed(class: ErrorClass, components: &RuntimeComponents, context: &InterceptorContext) -> bool {
    let knows = |classifier: &dyn ClassifyRetry| classifier.name() == "ServiceClockSkew";
    matches!(class, ErrorClass::Credentials | ErrorClass::Denied)
        && components.retry_classifiers().filter(|it| knows(it)).any(|it| it.classify_retry(context).should_retry())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_types::body::SdkBody;
    use expect_test::expect;
    use futures::future::BoxFuture;
    use proptest::prelude::*;

    use super::*;
    use crate::aws::error::During;
    use crate::aws::{ApiRates, Connection, Context, Packages, Scope};

    const HELD: &str = "no test goes on after a panic under this lock";

    /// Time passes where somebody sleeps, and pauses are as long as they can be.
    #[derive(Debug, Default)]
    struct Napping(Mutex<Duration>);

    impl Clock for Napping {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().expect(HELD)
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            *self.0.lock().expect(HELD) += duration;
            Box::pin(std::future::ready(()))
        }
    }

    /// What AWS does at each attempt; the last is repeated.
    #[derive(Debug, Clone)]
    struct Aws(Arc<Mutex<VecDeque<Answer>>>);

    #[derive(Debug, Clone)]
    enum Answer {
        Reset,
        Response { status: u16, header: Option<(&'static str, &'static str)>, body: &'static [u8] },
    }

    impl HttpConnector for Aws {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            let mut answers = self.0.lock().expect(HELD);
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            HttpConnectorFuture::ready(match answer {
                Some(Answer::Response { status, header, body }) => {
                    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
                    if let Some((name, value)) = header {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
                Some(Answer::Reset) | None => Err(ConnectorError::io("connection reset by peer".into())),
            })
        }
    }

    fn refusal(status: u16, body: &'static str) -> Answer {
        Answer::Response { status, header: None, body: body.as_bytes() }
    }

    fn with_header(status: u16, name: &'static str, value: &'static str) -> Answer {
        Answer::Response { status, header: Some((name, value)), body: b"{}" }
    }

    fn context(answers: impl IntoIterator<Item = Answer>, rates: ApiRates) -> (Context, Arc<Napping>) {
        let aws = Aws(Arc::new(Mutex::new(answers.into_iter().collect())));
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url("http://aws.test")
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("1", "2", None, None, "test")))
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(aws.clone())))
            .build();
        let scope = Scope { account_id: "1".into(), region: "us-east-1".into(), partition: "aws".into() };
        let clock = Arc::new(Napping::default());
        let connection = Connection { config, rates, scope };
        (Context::new(&connection, Packages::new(), Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    /// What deleting a queue comes to, and how often it was asked for.
    async fn delete_queue(answers: impl IntoIterator<Item = Answer>) -> (String, usize) {
        let (cx, _) = context(answers, ApiRates::WhereTheyExist);
        let deleted = cx.sqs.delete_queue().queue_url("http://aws.test/1/orders").send().await;
        let answer = deleted.during("sqs.DeleteQueue").map_or_else(|error| error.to_string(), |_| "done".to_owned());
        (answer, cx.calls.so_far().attempts())
    }

    const THROTTLED: &str = r#"{"__type": "com.amazonaws.sqs#RequestThrottled", "message": "Rate exceeded"}"#;

    /// The pauses of a call that always fails so, answered in no time.
    fn pauses(class: ErrorClass) -> Vec<f64> {
        let (mut tries, mut elapsed) = (Tries::default(), Duration::ZERO);
        std::iter::from_fn(|| tries.failed(class, elapsed, None, 1.0).inspect(|pause| elapsed += *pause))
            .map(|pause| pause.as_secs_f64())
            .collect()
    }

    #[test]
    fn pauses_double_up_to_a_longest_one_until_the_deadline() {
        expect!["[0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0, 28.5]"]
            .assert_eq(&format!("{:?}", pauses(ErrorClass::Throttled)));
        expect!["[0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 7.4]"]
            .assert_eq(&format!("{:?}", pauses(ErrorClass::Service)));
        assert_eq!(pauses(ErrorClass::Unreachable), pauses(ErrorClass::Service));
    }

    #[test]
    fn an_answer_is_taken_at_once() {
        use ErrorClass::{AlreadyExists, Conflict, Credentials, Denied, Invalid, NotFound, Quota};
        for class in [AlreadyExists, Conflict, Credentials, Denied, Invalid, NotFound, Quota] {
            assert_eq!(pauses(class), [0.0; 0], "{class:?}");
        }
    }

    #[test]
    fn what_the_service_asks_for_is_the_least_that_is_waited() {
        let asked = Some(Duration::from_secs(5));
        let after = |elapsed| Tries::default().failed(ErrorClass::Throttled, Duration::from_secs(elapsed), asked, 0.5);
        assert_eq!(after(0), asked);
        assert_eq!(after(298), Some(Duration::from_secs(2)), "the deadline stays");
    }

    fn passing() -> impl Strategy<Value = ErrorClass> {
        prop::sample::select(vec![ErrorClass::Throttled, ErrorClass::Service, ErrorClass::Unreachable])
    }

    proptest! {
        #[test]
        fn no_call_is_tried_beyond_its_deadline(
            failures in prop::collection::vec((passing(), 0.0..1.0f64, 0..70_000u64), 1..200),
        ) {
            let (mut tries, mut elapsed) = (Tries::default(), Duration::ZERO);
            let mut was_throttled = false;
            for (class, jitter, milliseconds) in failures {
                elapsed += Duration::from_millis(milliseconds);
                was_throttled |= class == ErrorClass::Throttled;
                let deadline = Duration::from_secs(if was_throttled { 300 } else { 120 });
                let pause = tries.failed(class, elapsed, None, jitter);
                prop_assert_eq!(pause.is_some(), elapsed < deadline);
                let Some(pause) = pause else { break };
                prop_assert!(elapsed + pause <= deadline);
                elapsed += pause;
            }
        }
    }

    #[tokio::test]
    async fn a_call_that_is_always_throttled_says_for_how_long_it_was_tried() {
        let (answer, attempts) = delete_queue([refusal(400, THROTTLED)]).await;
        expect!["`sqs.DeleteQueue` failed: Rate exceeded (RequestThrottled, HTTP 400, tried 16 times in 300 s)"]
            .assert_eq(&answer);
        assert_eq!(attempts, 16);
    }

    #[tokio::test]
    async fn a_call_that_is_never_answered_says_so_too() {
        let (answer, attempts) = delete_queue([Answer::Reset]).await;
        expect!["`sqs.DeleteQueue` failed: connection reset by peer (tried 18 times in 120 s)"].assert_eq(&answer);
        assert_eq!(attempts, 18);
    }

    #[tokio::test]
    async fn what_fails_in_different_ways_goes_on_until_it_succeeds() {
        let failures = [refusal(500, "{}"), refusal(400, THROTTLED), Answer::Reset, refusal(429, ""), refusal(503, "")];
        let (answer, attempts) = delete_queue(failures.into_iter().chain([refusal(200, "{}")])).await;
        assert_eq!((answer.as_str(), attempts), ("done", 6));
    }

    #[tokio::test]
    async fn a_refusal_is_taken_at_once() {
        let gone = r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"}"#;
        let (answer, attempts) = delete_queue([refusal(400, gone)]).await;
        expect!["`sqs.DeleteQueue` failed: no such queue (QueueDoesNotExist, HTTP 400)"].assert_eq(&answer);
        assert_eq!(attempts, 1);
    }

    #[tokio::test]
    async fn a_quota_is_no_throttle_though_the_sdk_takes_it_for_one() {
        let full = r#"{"__type": "LimitExceededException", "message": "Resource limit exceeded."}"#;
        let (cx, _) = context([refusal(400, full)], ApiRates::WhereTheyExist);
        let made = cx.logs.create_log_group().log_group_name("orders").send().await;
        let error = made.during("logs.CreateLogGroup").expect_err("the account is full");
        assert_eq!((error.class, cx.calls.so_far().attempts()), (ErrorClass::Quota, 1));
        assert!(error.way_out().is_some_and(|way_out| way_out.contains("Service Quotas")));
    }

    #[tokio::test]
    async fn what_would_make_a_second_thing_is_asked_for_again_only_when_it_was_refused() {
        let attempts = async |answers: &[Answer]| {
            let (cx, _) = context(answers.iter().cloned(), ApiRates::WhereTheyExist);
            let made = cx.apigateway.create_rest_api().name("orders").send().await;
            (made.during("apigateway.CreateRestApi").map_err(|error| error.class).err(), cx.calls.so_far().attempts())
        };
        assert_eq!(attempts(&[Answer::Reset]).await, (Some(ErrorClass::Unreachable), 1));
        assert_eq!(attempts(&[refusal(500, "{}")]).await, (Some(ErrorClass::Service), 1));
        let throttled = with_header(429, "x-amzn-errortype", "TooManyRequestsException");
        assert_eq!(attempts(&[throttled, refusal(201, r#"{"id": "a1"}"#)]).await, (None, 2));
    }

    #[tokio::test]
    async fn the_service_is_left_alone_for_as_long_as_it_asks() {
        let (cx, clock) =
            context([with_header(503, "x-amz-retry-after", "7000"), refusal(200, "{}")], ApiRates::WhereTheyExist);
        cx.sqs.delete_queue().queue_url("http://aws.test/1/orders").send().await.expect("the second time");
        assert_eq!(clock.monotonic(), Duration::from_secs(7));
    }

    #[tokio::test]
    async fn waits_for_our_own_rates_are_not_held_against_the_service() {
        let throttled = with_header(429, "x-amzn-errortype", "TooManyRequestsException");
        let (cx, clock) = context([throttled], ApiRates::Everywhere);
        let delete = cx.apigateway.delete_rest_api().rest_api_id("a1").send().await;
        let error = delete.during("apigateway.DeleteRestApi").expect_err("throttled for ever");
        expect![[r#"Some(Tried { times: 16, within: 300s })"#]].assert_eq(&format!("{:?}", error.tried));
        assert!(clock.monotonic() > Duration::from_secs(400), "one in 30 seconds: {:?}", clock.monotonic());
    }

    /// The class of a refusal as each protocol says it, seen before the SDK has read it and after.
    #[tokio::test]
    async fn a_code_is_found_where_each_protocol_has_it() {
        macro_rules! throttled {
            ($call:expr, $answer:expr) => {{
                let (cx, _) = context([$answer], ApiRates::WhereTheyExist);
                let error = $call(&cx).send().await.during("x").expect_err("throttled for ever");
                assert_eq!((error.class, error.tried.map(|tried| tried.times)), (ErrorClass::Throttled, Some(16)));
            }};
        }
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message>\
                   </Error><RequestId>1</RequestId></ErrorResponse>";
        throttled!(|cx: &Context| cx.iam.get_role().role_name("r"), refusal(400, xml));
        throttled!(|cx: &Context| cx.sns.list_topics(), refusal(400, xml));
        let json = r#"{"__type": "com.amazonaws.x#ThrottlingException", "message": "Rate exceeded"}"#;
        throttled!(|cx: &Context| cx.dynamodb.list_tables(), refusal(400, json));
        throttled!(|cx: &Context| cx.logs.describe_log_groups(), refusal(400, json));
        throttled!(|cx: &Context| cx.wafv2.list_web_acls(), refusal(400, json));
        throttled!(|cx: &Context| cx.tagging.get_resources(), refusal(400, json));
        throttled!(
            |cx: &Context| cx.sqs.list_queues(),
            with_header(400, "x-amzn-query-error", "RequestThrottled;Sender")
        );
        let rest = || with_header(429, "x-amzn-errortype", "TooManyRequestsException:http://internal");
        throttled!(|cx: &Context| cx.lambda.list_functions(), rest());
        throttled!(|cx: &Context| cx.apigateway.get_account(), rest());
        let header = Some(("smithy-protocol", "rpc-v2-cbor"));
        let cbor = Answer::Response { status: 400, header, body: b"\xa1\x66__type\x6aThrottling" };
        throttled!(|cx: &Context| cx.cloudwatch.list_dashboards(), cbor);
    }
}
