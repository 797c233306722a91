//! Answers that are given again at once: what is measured through them is the client, however long an emulator takes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::call::Call;
use crate::http::Response;
use crate::{Behaviour, held};

/// Remembers what was answered, and answers the same when the same is asked again. Of changes meanwhile it knows nothing.
#[derive(Default)]
pub struct Memory {
    answers: Mutex<BTreeMap<Question, Response>>,
    strikes: AtomicUsize,
}

/// What is asked: not when, nor with which signature.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    account: String,
    region: String,
    call: String,
    method: String,
    target: String,
    body: Vec<u8>,
}

impl Question {
    fn of(call: &Call) -> Self {
        Self {
            account: call.account.clone(),
            region: call.region.clone(),
            call: call.name(),
            method: call.request.method.clone(),
            target: call.request.target.clone(),
            body: call.request.body.clone(),
        }
    }
}

impl Behaviour for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn before(&self, call: &Call) -> Option<Response> {
        let answer = held(&self.answers).get(&Question::of(call)).cloned()?;
        self.strikes.fetch_add(1, Ordering::SeqCst);
        Some(answer)
    }

    /// A failure of the service may not be one the next time.
    fn after(&self, call: &Call, answer: &mut Response) {
        if answer.status < 500 {
            held(&self.answers).entry(Question::of(call)).or_insert_with(|| answer.clone());
        }
    }

    fn strikes(&self) -> usize {
        self.strikes.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Headers, Request};

    fn call(account: &str, operation: &str, body: &str) -> Call {
        let mut headers = Headers::default();
        headers
            .set("authorization", format!("AWS4-HMAC-SHA256 Credential={account}/20261125/us-east-1/sqs/aws4_request"));
        headers.set("x-amz-target", format!("AmazonSQS.{operation}"));
        let (method, target) = ("POST".to_owned(), "/".to_owned());
        Call::read(1, Request { method, target, headers, body: body.as_bytes().to_vec() })
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Headers::default(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_no_other_has() {
        let memory = Memory::default();
        let asked = call("111111111111", "GetQueueUrl", r#"{"QueueName": "orders"}"#);
        assert_eq!(memory.before(&asked), None);
        memory.after(&asked, &mut answer(503, "later"));
        assert_eq!(memory.before(&asked), None);
        memory.after(&asked, &mut answer(400, "none"));
        assert_eq!(memory.before(&asked), Some(answer(400, "none")));
        for other in [
            call("222222222222", "GetQueueUrl", r#"{"QueueName": "orders"}"#),
            call("111111111111", "GetQueueAttributes", r#"{"QueueName": "orders"}"#),
            call("111111111111", "GetQueueUrl", r#"{"QueueName": "bills"}"#),
        ] {
            assert_eq!(memory.before(&other), None);
        }
        assert_eq!(memory.strikes(), 1);
    }
}
