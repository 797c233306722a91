//! How paystack talks to AWS: clients, errors, waiting. Knows no resource type.

pub mod actions;
pub mod calls;
pub mod clock;
pub mod deployed;
pub mod error;
mod gate;
mod https;
pub mod limits;
mod null_templates;
pub mod objects;
pub mod observer;
pub mod operate;
pub mod pages;
pub mod rates;
mod retry;
pub mod smoke;
pub mod survey;
pub mod turnstile;
pub mod wait;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::aws::calls::Counter;
use crate::aws::clock::Clock;
use crate::aws::error::{AwsError, During, ErrorClass};
use crate::aws::gate::Gate;
use crate::aws::null_templates::ReadNullTemplates;
use crate::aws::observer::{Observer, TURN};
use crate::aws::retry::{Retries, WhateverTheError};
use crate::aws::survey::{Expected, Survey};
use crate::aws::wait::Patience;
use crate::package::Content;

/// Where in AWS a stack lives: what names and ARNs are made of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scope {
    pub account_id: String,
    pub region: String,
    pub partition: String,
}

impl Scope {
    /// `arn:aws:sqs:us-east-1:123456789012:orders`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id)
    }

    /// An ARN without a region: IAM's, and CloudWatch's dashboards.
    pub fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition, self.account_id)
    }
}

/// The partition that a region belongs to.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The zips that this run may have to upload, by what Lambda's `CodeSha256` will say of them.
pub type Packages = BTreeMap<String, Content>;

/// What a handler holds: a client for each service, time, and the zips.
pub struct Context {
    pub scope: Scope,
    pub apigateway: aws_sdk_apigateway::Client,
    pub cloudformation: aws_sdk_cloudformation::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub iam: aws_sdk_iam::Client,
    pub lambda: aws_sdk_lambda::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    pub wafv2: aws_sdk_wafv2::Client,
    pub packages: Packages,
    pub clock: Arc<dyn Clock>,
    /// What this run asks of AWS, but for the question whose credentials these are.
    pub calls: Counter,
    /// Hears what this run waits for, and what it asks.
    pub observer: Observer,
    /// Where this is one look at everything: what it has been told already.
    pub survey: Option<Survey>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

const WHO: &str = "sts.GetCallerIdentity";

/// How long AWS may take to answer, uploads included. It begins when a call is sent, unlike the SDK's timeout for
/// attempts, in which the wait for the API's rates would count.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How often the question is asked whose credentials these are, which takes some seconds where nothing answers. All that
/// follows is tried for longer: see [`retry`].
const FIRST_ATTEMPTS: u32 = 10;

/// A connection to one region with the caller's credentials.
pub struct Connection {
    config: SdkConfig,
    rates: ApiRates,
    pub scope: Scope,
}

/// Where to connect to. What is left out is found as every AWS tool finds it.
#[derive(Debug, Clone, Default)]
pub struct Target {
    pub region: Option<String>,
    pub local: Option<LocalAccount>,
    pub rates: ApiRates,
}

/// Whether calls wait until AWS's published rates let them go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApiRates {
    /// AWS has them; an endpoint of one's own, which is an emulator's, has not.
    #[default]
    WhereTheyExist,
    Everywhere,
}

/// An account of an emulator: its number stands in for credentials.
#[derive(Debug, Clone)]
pub struct LocalAccount {
    pub endpoint: String,
    pub account_id: String,
}

/// Finds credentials and region, and asks AWS whose they are.
///
/// # Errors
///
/// No region, no credentials, credentials that AWS refuses, or no answer.
pub async fn connect(target: Target) -> Result<Connection, AwsError> {
    let retries = RetryConfig::standard()
        .with_max_attempts(FIRST_ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(1));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https::client())
        .retry_config(retries)
        .timeout_config(TimeoutConfig::builder().read_timeout(ANSWER_TIMEOUT).build());
    if let Some(region) = target.region {
        loader = loader.region(Region::new(region));
    }
    if let Some(local) = target.local {
        let credentials = aws_sdk_sts::config::Credentials::new(local.account_id, "local", None, None, "local");
        loader = loader.endpoint_url(local.endpoint).credentials_provider(credentials);
    }
    Connection::with(loader.load().await, target.rates).await
}

impl Connection {
    /// Whether this is AWS itself. An endpoint of one's own is an emulator's.
    pub fn is_aws(&self) -> bool {
        self.config.endpoint_url().is_none()
    }

    /// A connection with a configuration that is already there.
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn with(config: SdkConfig, rates: ApiRates) -> Result<Self, AwsError> {
        let Some(region) = config.region().map(|region| region.as_ref().to_owned()) else {
            let message = "no region is set: set AWS_REGION, or `region` in paystack.toml";
            return Err(AwsError::new(WHO, ErrorClass::Invalid, message));
        };
        let who = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let who = who.during(WHO).map_err(|error| match config.endpoint_url() {
            Some(url) if error.class == ErrorClass::Unreachable => {
                AwsError { message: format!("nothing answers at `{url}`: {}", error.message), ..error }
            }
            _ => error,
        })?;
        let account_id = who.account().ok_or_else(|| AwsError::missing(WHO, "Account"))?.to_owned();
        let partition = partition_of(&region).to_owned();
        Ok(Self { config, rates, scope: Scope { account_id, region, partition } })
    }
}

impl Context {
    pub fn new(connection: &Connection, packages: Packages, clock: Arc<dyn Clock>) -> Self {
        let calls = Counter::default();
        let observer = Observer::new(Arc::clone(&clock));
        let gate = Gate::new(&connection.config, connection.rates, calls.clone(), Arc::clone(&clock));
        let gate = gate.observed_by(observer.clone());
        let config = &gate.before(&connection.config);
        // Among all calls of a process the SDK allows about a hundred retries in a row, and then fails at the first
        // throttle. How long one call is repeated has its own limit, and how many run at once has too.
        let partition = RetryPartition::custom("paystack").token_bucket(TokenBucket::unlimited()).build();
        macro_rules! client {
            ($service:ident $(, $interceptor:expr)?) => {{
                let config = $service::config::Builder::from(config).retry_partition(partition.clone());
                let config = config.retry_classifier(WhateverTheError).interceptor(Retries::new(Arc::clone(&clock)));
                let config = config.interceptor(observer.clone());
                $service::Client::from_conf(config$(.interceptor($interceptor))?.build())
            }};
        }
        Self {
            scope: connection.scope.clone(),
            apigateway: client!(aws_sdk_apigateway, ReadNullTemplates),
            cloudformation: client!(aws_sdk_cloudformation),
            cloudwatch: client!(aws_sdk_cloudwatch),
            dynamodb: client!(aws_sdk_dynamodb),
            iam: client!(aws_sdk_iam),
            lambda: client!(aws_sdk_lambda),
            logs: client!(aws_sdk_cloudwatchlogs),
            sns: client!(aws_sdk_sns),
            sqs: client!(aws_sdk_sqs),
            tagging: client!(aws_sdk_resourcegroupstagging),
            wafv2: client!(aws_sdk_wafv2),
            packages,
            clock,
            calls,
            observer,
            survey: None,
            turns: Mutex::new(HashMap::new()),
        }
    }

    /// The same clients for one look at everything that is expected, in which nothing is asked twice.
    pub fn surveying(&self, expected: Expected) -> Self {
        Self {
            scope: self.scope.clone(),
            apigateway: self.apigateway.clone(),
            cloudformation: self.cloudformation.clone(),
            cloudwatch: self.cloudwatch.clone(),
            dynamodb: self.dynamodb.clone(),
            iam: self.iam.clone(),
            lambda: self.lambda.clone(),
            logs: self.logs.clone(),
            sns: self.sns.clone(),
            sqs: self.sqs.clone(),
            tagging: self.tagging.clone(),
            wafv2: self.wafv2.clone(),
            packages: self.packages.clone(),
            clock: Arc::clone(&self.clock),
            calls: self.calls.clone(),
            observer: self.observer.clone(),
            survey: Some(Survey::new(expected)),
            turns: Mutex::new(HashMap::new()),
        }
    }

    /// Asks; in a survey only where nobody has asked the same `of` the same before.
    pub async fn once<T, F>(&self, operation: &'static str, of: &str, ask: impl FnOnce() -> F) -> Result<T, AwsError>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, AwsError>>,
    {
        match &self.survey {
            Some(survey) => survey.once(operation, of, ask).await,
            None => ask().await,
        }
    }

    /// Asks for one resource by its identifier; in a survey for all that are expected of its type, `most` in a call. What
    /// cannot be answered for all together is asked for one by one.
    pub async fn together<T, F>(
        &self,
        operation: &'static str,
        resource_type: &'static str,
        id: &str,
        most: usize,
        ask: impl Fn(Vec<String>) -> F,
    ) -> Result<Option<T>, AwsError>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<BTreeMap<String, T>, AwsError>>,
    {
        let alone = || async { Ok(ask(vec![id.to_owned()]).await?.remove(id)) };
        let Some(survey) = &self.survey else { return alone().await };
        let ids = survey.expected.together_with(resource_type, id, most);
        if let [first, _, ..] = ids {
            let of = format!("{first} and {} more", ids.len() - 1);
            let all = || ids.iter().map(ToString::to_string).collect();
            if let Ok(answer) = survey.once(operation, &of, || async { ask(all()).await.map(Arc::new) }).await {
                return Ok(answer.get(id).cloned());
            }
        }
        survey.once(operation, id, alone).await
    }

    /// Waits until nobody else of this run works on `what`, for parents whose children must be written one at a time
    /// ("Real AWS behaviour", 1 rule 7). The turn ends when the guard is dropped.
    pub async fn turn(&self, what: &str) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(what.to_owned()).or_default())
        };
        match Arc::clone(&turn).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let _waiting = self.observer.waits(TURN, format!("its turn at `{what}`"));
                turn.lock_owned().await
            }
        }
    }

    /// Looks until `look` gives something: see [`wait::until`].
    pub async fn until<T, F>(
        &self,
        operation: &'static str,
        waiting_for: &str,
        patience: Patience,
        look: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<Option<T>, AwsError>> + Send,
    {
        let look = self.told(operation, waiting_for, look);
        Box::pin(wait::until(self.clock.as_ref(), operation, waiting_for, patience, look)).await
    }

    /// Looks until `look` has been true several times in a row: see [`wait::until_everywhere`].
    pub async fn until_everywhere<F>(
        &self,
        operation: &'static str,
        waiting_for: &str,
        deadline_seconds: u64,
        look: impl FnMut() -> F,
    ) -> Result<(), AwsError>
    where
        F: Future<Output = Result<bool, AwsError>> + Send,
    {
        let look = self.told(operation, waiting_for, look);
        Box::pin(wait::until_everywhere(self.clock.as_ref(), operation, waiting_for, deadline_seconds, look)).await
    }

    /// The same looks, heard by the observer: what is there at the first look is not waited for.
    fn told<F>(&self, operation: &'static str, waiting_for: &str, mut look: impl FnMut() -> F) -> impl FnMut() -> F {
        let mut looks = 0;
        let mut _waiting = None;
        move || {
            looks += 1;
            if looks == 2 {
                _waiting = Some(self.observer.waits(operation, waiting_for.to_owned()));
            }
            look()
        }
    }

    /// Repeats a call while its error is one that passes: see [`wait::while_passing`]. One wait may stand within another, for
    /// another error: boxed, they do not add up on the stack.
    pub async fn while_passing<T, F>(
        &self,
        patience: Patience,
        passes: impl Fn(&AwsError) -> bool,
        call: impl FnMut() -> F,
    ) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>> + Send,
    {
        let waiting = Mutex::new(None);
        let passes = |error: &AwsError| {
            let passes = passes(error);
            if passes {
                let what = if error.code.is_empty() { "an error" } else { error.code.as_str() };
                let wait = || self.observer.waits(error.operation, format!("{what} to pass"));
                waiting.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(wait);
            }
            passes
        };
        Box::pin(wait::while_passing(self.clock.as_ref(), patience, passes, call)).await
    }
}
