//! Amazon SQS.

pub mod queue;
pub mod queue_inline_policy;
pub mod queue_policy;

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::Context;
use crate::aws::error::{AwsError, found};

/// Every attribute of a queue.
async fn shown(cx: &Context, url: &str) -> Result<Option<HashMap<QueueAttributeName, String>>, AwsError> {
    const GET: &str = "sqs.GetQueueAttributes";
    cx.once(GET, url, || async {
        let get = cx.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        Ok(found(GET, get.send().await)?.map(|answer| answer.attributes.unwrap_or_default()))
    })
    .await
}
