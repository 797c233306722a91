//! What AWS answers when it does not do what it was asked: one type for all services.

mod denied;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::retry;

/// What an error means for what comes next. Read from the code that the service sent, never from prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The thing is not there.
    NotFound,
    /// A thing of that name is there.
    AlreadyExists,
    /// The thing is busy, or in the way of something else: the same call may pass later.
    Conflict,
    /// Too many calls.
    Throttled,
    /// As many things, or as large ones, as the account may have: time changes nothing about it.
    Quota,
    /// The caller may not do that.
    Denied,
    /// No credentials, or credentials that AWS does not know.
    Credentials,
    /// The service refuses the request as it is. Some of these pass with time (IAM propagation): see the handler.
    Invalid,
    /// The service failed.
    Service,
    /// No answer arrived: what was asked may or may not have been done.
    Unreachable,
    /// A wait of ours ran out.
    Deadline,
}

/// A call that did not do what it was asked.
#[derive(Debug, Clone)]
pub struct AwsError {
    /// `sqs.CreateQueue`.
    pub operation: &'static str,
    pub class: ErrorClass,
    /// The service's own code, without a namespace; empty where no service answered.
    pub code: String,
    pub message: String,
    pub status: Option<u16>,
    pub request_id: Option<String>,
    /// What was tried in vain before; `None` where the first answer was taken.
    pub tried: Option<Tried>,
}

/// How often a call was made that failed each time, and for how long, but for waits for our own rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    pub times: u32,
    pub within: Duration,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tried {} times in {:.0} s", self.times, self.within.as_secs_f64())
    }
}

impl AwsError {
    /// An error that paystack itself finds, in the name of an operation.
    pub fn new(operation: &'static str, class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            operation,
            class,
            code: String::new(),
            message: message.into(),
            status: None,
            request_id: None,
            tried: None,
        }
    }

    /// What a service refuses, by its own code.
    pub fn answered(operation: &'static str, code: String, message: String, status: u16) -> Self {
        let class = class_of_code(&code, Some(status));
        Self { code, status: Some(status), ..Self::new(operation, class, message) }
    }

    /// What a service promised to answer and did not.
    pub fn missing(operation: &'static str, what: &str) -> Self {
        Self::new(operation, ErrorClass::Service, format!("the answer has no `{what}`"))
    }

    /// A wait that ran out.
    pub fn deadline(operation: &'static str, waiting_for: &str, seconds: u64) -> Self {
        Self::new(operation, ErrorClass::Deadline, format!("waited {seconds} s for {waiting_for}, in vain"))
    }

    pub fn is_not_found(&self) -> bool {
        self.class == ErrorClass::NotFound
    }

    /// Whether something has the name that was asked for.
    pub fn is_taken(&self) -> bool {
        self.class == ErrorClass::AlreadyExists
    }

    /// Whether the service sent this code with a message that begins so or contains it.
    pub fn says(&self, code: &str, fragment: &str) -> bool {
        self.code == code && self.message.contains(fragment)
    }

    /// What a person can do about it.
    pub fn way_out(&self) -> Option<String> {
        let way_out = match self.class {
            ErrorClass::Credentials => {
                "give AWS credentials: `aws sso login`, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            }
            ErrorClass::Unreachable => {
                "check the network, AWS_REGION and AWS_ENDPOINT_URL, then run the same command again"
            }
            ErrorClass::Denied => return Some(denied::way_out(self.operation, &self.message)),
            ErrorClass::Throttled | ErrorClass::Service | ErrorClass::Deadline | ErrorClass::Conflict => {
                "run the same command again: it goes on from where it stopped"
            }
            ErrorClass::Quota => {
                "delete what is no longer needed, or ask AWS for more (Service Quotas), then run the same command again"
            }
            ErrorClass::NotFound | ErrorClass::AlreadyExists | ErrorClass::Invalid => return None,
        };
        Some(way_out.to_owned())
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed: {}", self.operation, self.message)?;
        let details: Vec<String> = [
            (!self.code.is_empty()).then(|| self.code.clone()),
            self.status.map(|status| format!("HTTP {status}")),
            self.request_id.as_ref().map(|id| format!("request {id}")),
            self.tried.map(|tried| tried.to_string()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if details.is_empty() { Ok(()) } else { write!(f, " ({})", details.join(", ")) }
    }
}

impl Error for AwsError {}

/// Turns the SDK's errors into ours.
pub trait During<T> {
    /// Names the operation that failed: `answer.during("sqs.CreateQueue")?`.
    fn during(self, operation: &'static str) -> Result<T, AwsError>;
}

impl<T, E> During<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn during(self, operation: &'static str) -> Result<T, AwsError> {
        self.map_err(|error| from_sdk(operation, &error))
    }
}

/// What a read found: `None` where the service says that there is nothing.
pub fn found<T, E>(operation: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, AwsError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    absent_is_none(answer.during(operation))
}

/// The same for a call that has our error already.
pub fn absent_is_none<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    none_if(answer, AwsError::is_not_found)
}

/// The answer, or `None` in place of an error that says that there is none.
pub fn none_if<T>(answer: Result<T, AwsError>, is_none: impl FnOnce(&AwsError) -> bool) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_none(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A delete of something gone is a success.
pub fn gone_is_fine<T>(answer: Result<T, AwsError>) -> Result<(), AwsError> {
    absent_is_none(answer).map(drop)
}

fn from_sdk<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let response = error.raw_response();
    let status = response.map(|response| response.status().as_u16());
    let request_id = response.and_then(|response| {
        ["x-amzn-requestid", "x-amz-request-id"]
            .iter()
            .find_map(|name| response.headers().get(*name))
            .map(str::to_owned)
    });
    let code = error.code().map(short).unwrap_or_default().to_owned();
    let class = classify(&code, status, error);
    let message = match (error.as_service_error(), error.message()) {
        (Some(_), Some(message)) => message.to_owned(),
        (Some(_), None) if !code.is_empty() => code.clone(),
        _ => unanswered(class, error),
    };
    let tried = retry::tried(error).filter(|tried| tried.times > 1);
    AwsError { operation, class, code, message, status, request_id, tried }
}

/// `com.amazonaws.sqs#QueueDoesNotExist` and `QueueDoesNotExist:http://…` without what surrounds the name.
pub(super) fn short(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code)
}

fn classify<E>(code: &str, status: Option<u16>, error: &SdkError<E, HttpResponse>) -> ErrorClass {
    match error {
        SdkError::DispatchFailure(failure) if !failure.is_io() && !failure.is_timeout() => {
            credentials_or_unreachable(failure)
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            ErrorClass::Unreachable
        }
        SdkError::ConstructionFailure(_) => ErrorClass::Invalid,
        _ => class_of_code(code, status),
    }
}

fn credentials_or_unreachable(failure: &aws_smithy_runtime_api::client::result::DispatchFailure) -> ErrorClass {
    let text = failure.as_connector_error().map(|error| DisplayErrorContext(error).to_string()).unwrap_or_default();
    // The SDK gives credential errors no type of their own that can be reached from here.
    let kinds = ["CredentialsNotLoaded", "CredentialsError", "ProviderError", "InvalidConfiguration"];
    if kinds.iter().any(|kind| text.contains(kind)) { ErrorClass::Credentials } else { ErrorClass::Unreachable }
}

/// The codes of all services that paystack calls; "Real AWS behaviour" 1.1 lists them by service.
pub(super) fn class_of_code(code: &str, status: Option<u16>) -> ErrorClass {
    match code {
        "NotFound"
        | "NotFoundException"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "TableNotFoundException"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue"
        | "WAFNonexistentItemException"
        | "DashboardNotFoundError" => ErrorClass::NotFound,
        "EntityAlreadyExists"
        | "ResourceAlreadyExistsException"
        | "WAFDuplicateItemException"
        | "QueueNameExists"
        | "QueueAlreadyExists" => ErrorClass::AlreadyExists,
        "ConflictException"
        | "ResourceConflictException"
        | "ResourceInUseException"
        | "OperationAbortedException"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "ConcurrentAccess"
        | "DeleteConflict"
        | "WAFAssociatedItemException"
        | "WAFOptimisticLockException"
        | "WAFUnavailableEntityException"
        | "WAFTagOperationException"
        | "WAFServiceLinkedRoleErrorException"
        | "QueueDeletedRecently"
        | "AWS.SimpleQueueService.QueueDeletedRecently"
        | "ContinuousBackupsUnavailableException"
        | "StaleTag" => ErrorClass::Conflict,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException"
        | "KmsThrottled"
        | "KMSThrottlingException"
        | "SlowDown" => ErrorClass::Throttled,
        // The SDK takes the first of these for a throttle. What of them passes is said by its message: see the handlers.
        "LimitExceededException"
        | "LimitExceeded"
        | "LimitExceededFault"
        | "WAFLimitsExceededException"
        | "TopicLimitExceeded"
        | "SubscriptionLimitExceeded"
        | "FilterPolicyLimitExceeded"
        | "CodeStorageExceededException" => ErrorClass::Quota,
        "RequestTimeout" | "RequestTimeoutException" => ErrorClass::Service,
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "KmsAccessDenied" => ErrorClass::Denied,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => ErrorClass::Credentials,
        _ => match status {
            Some(429) => ErrorClass::Throttled,
            Some(status) if status >= 500 => ErrorClass::Service,
            Some(404) => ErrorClass::NotFound,
            _ => ErrorClass::Invalid,
        },
    }
}

/// Why there is no answer. The SDK's own texts name its layers; only the innermost cause is about the world.
fn unanswered(class: ErrorClass, error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let cause = innermost.to_string();
    // The last place that is looked into is the machine's own role, which a machine outside of AWS does not have.
    let is_nowhere = cause.starts_with("no credentials found") || format!("{error:?}").contains("Imds");
    if class == ErrorClass::Credentials && is_nowhere { "there are no AWS credentials".to_owned() } else { cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_without_its_namespace() {
        assert_eq!(short("com.amazonaws.sqs#QueueDoesNotExist"), "QueueDoesNotExist");
        assert_eq!(short("ResourceNotFoundException:http://internal"), "ResourceNotFoundException");
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_status() {
        assert_eq!(class_of_code("Strange", Some(503)), ErrorClass::Service);
        assert_eq!(class_of_code("Strange", Some(429)), ErrorClass::Throttled);
        assert_eq!(class_of_code("Strange", Some(400)), ErrorClass::Invalid);
    }
}
