//! One look at everything: what one call has answered is not asked for again, and what many calls would ask, one asks.
//!
//! A survey lasts for one inventory. Whoever waits for a change, or has made one, holds a [`Context`](crate::aws::Context)
//! without it, and every call is sent. Knows no resource type: what can be asked for together, the handlers know.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::aws::error::AwsError;
use crate::identity::{LogicalId, PhysicalId, ResourceType, StackId};

/// What is going to be read.
#[derive(Debug, Clone)]
pub struct Expected {
    pub stack: StackId,
    /// By type, under the identifiers that are known, each once and in order.
    ids: BTreeMap<ResourceType, Vec<PhysicalId>>,
    /// The tags of each resource of which the last apply and the template say the same, by logical id.
    pub tags: BTreeMap<LogicalId, BTreeMap<String, String>>,
}

impl Expected {
    pub fn new(
        stack: StackId,
        known: impl IntoIterator<Item = (ResourceType, PhysicalId)>,
        tags: BTreeMap<LogicalId, BTreeMap<String, String>>,
    ) -> Self {
        let mut ids: BTreeMap<ResourceType, Vec<PhysicalId>> = BTreeMap::new();
        known.into_iter().for_each(|(resource_type, id)| ids.entry(resource_type).or_default().push(id));
        for ids in ids.values_mut() {
            ids.sort_unstable();
            ids.dedup();
        }
        Self { stack, ids, tags }
    }

    /// Those among the expected resources of a type that are asked for in one call with this one, itself among them: as many
    /// as a call takes.
    pub fn together_with(&self, resource_type: &str, id: &str, most: usize) -> &[PhysicalId] {
        let expected = self.ids.get(&ResourceType::from(resource_type)).map(Vec::as_slice).unwrap_or_default();
        let Ok(place) = expected.binary_search_by(|it| it.as_str().cmp(id)) else { return &[] };
        expected.chunks(most).nth(place / most).unwrap_or_default()
    }

    /// Whether tags are asked for together: for a single resource that would save nothing.
    pub fn has_tags_together(&self) -> bool {
        self.tags.len() > 1
    }
}

/// An answer, or the place where the first to ask will put it.
type Answer<T> = OnceCell<Result<T, AwsError>>;

/// An operation, and what it was asked about.
type Asked = (&'static str, String);

/// What was answered so far.
pub struct Survey {
    pub expected: Expected,
    answers: Mutex<HashMap<Asked, Arc<dyn Any + Send + Sync>>>,
}

impl Survey {
    pub fn new(expected: Expected) -> Self {
        Self { expected, answers: Mutex::default() }
    }

    /// Asks, or waits for whoever has asked the same `of` the same before. What an error answers stays an error.
    pub async fn once<T, F>(&self, operation: &'static str, of: &str, ask: impl FnOnce() -> F) -> Result<T, AwsError>
    where
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, AwsError>>,
    {
        let answer = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Answer::<T>::new()) as Arc<dyn Any + Send + Sync>;
            Arc::clone(answers.entry((operation, of.to_owned())).or_insert_with(new))
        };
        match answer.downcast::<Answer<T>>() {
            Ok(answer) => Box::pin(answer.get_or_init(ask)).await.clone(),
            // Something else is kept under this name: then it is asked for by itself.
            Err(_) => ask().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;
    use crate::aws::error::ErrorClass;

    fn survey(ids: &[&str]) -> Survey {
        let alarm = |id: &&str| (ResourceType::from("AWS::CloudWatch::Alarm"), PhysicalId::from(*id));
        Survey::new(Expected::new(StackId::from("payments-dev"), ids.iter().map(alarm), BTreeMap::new()))
    }

    #[tokio::test]
    async fn who_asks_the_same_at_the_same_time_shares_one_answer() {
        let (survey, sent) = (survey(&[]), AtomicUsize::new(0));
        let ask = |of: &'static str| {
            survey.once("sqs.GetQueueAttributes", of, || async {
                tokio::task::yield_now().await;
                Ok(sent.fetch_add(1, Ordering::Relaxed))
            })
        };
        let answers: Vec<usize> = join_all([ask("orders"), ask("orders"), ask("dead"), ask("orders")])
            .await
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("nothing fails");
        assert_eq!(answers, [0, 0, 1, 0]);
    }

    #[tokio::test]
    async fn what_could_not_be_read_is_not_tried_again_either() {
        let (survey, sent) = (survey(&[]), AtomicUsize::new(0));
        for _ in 0..2 {
            let ask = || async {
                sent.fetch_add(1, Ordering::Relaxed);
                Err::<(), _>(AwsError::new("sqs.GetQueueAttributes", ErrorClass::Denied, "no"))
            };
            survey.once("sqs.GetQueueAttributes", "orders", ask).await.expect_err("it is denied");
        }
        assert_eq!(sent.into_inner(), 1);
    }

    #[test]
    fn what_is_expected_is_parted_into_calls_and_what_is_not_is_asked_for_alone() {
        let survey = survey(&["a", "b", "c", "d", "e"]);
        let together = |resource_type: &str, id: &str| {
            let ids = survey.expected.together_with(resource_type, id, 2);
            ids.iter().map(PhysicalId::as_str).collect::<Vec<_>>()
        };
        assert_eq!(together("AWS::CloudWatch::Alarm", "b"), ["a", "b"]);
        assert_eq!(together("AWS::CloudWatch::Alarm", "e"), ["e"]);
        assert_eq!(together("AWS::CloudWatch::Alarm", "z"), [""; 0]);
        assert_eq!(together("AWS::SQS::Queue", "b"), [""; 0]);
    }
}
