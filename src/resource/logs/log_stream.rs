//! `AWS::Logs::LogStream`. Found by log group and name, which replace it. It cannot carry a mark, and goes with its group.
//! Nothing of it can change. Writers make streams of their own: what the template does not declare is theirs.

use serde::{Deserialize, Serialize};

use crate::aws::error::{AwsError, During, found, gone_is_fine, none_if};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::logs::{in_group, when_idle};
use crate::resource::{Attributes, GeneratedName, Handler, Live, Made, Owner, referred};

pub struct LogsLogStream;

/// The template's names and shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LogStream {
    pub log_group_name: String,
    pub log_stream_name: Option<String>,
}

impl Handler for LogsLogStream {
    const TYPE: &'static str = "AWS::Logs::LogStream";
    const FOUND_BY: &'static [&'static str] = &["LogGroupName", "LogStreamName"];
    const GENERATED_NAME: Option<GeneratedName> = Some(GeneratedName::new("LogStreamName", 512));
    const PART_OF: &'static [&'static str] = &["LogGroupName"];
    type Properties = LogStream;

    fn predict(_scope: &Scope, stream: &LogStream) -> Attributes {
        stream.log_stream_name.as_deref().map(|name| referred(name, [])).unwrap_or_default()
    }

    async fn find(cx: &Context, _owner: &Owner, stream: &LogStream) -> Result<Option<PhysicalId>, AwsError> {
        let id = id_of(stream);
        Ok(Self::read(cx, &id).await?.map(|_| id))
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LogStream>>, AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "log stream")?;
        let stream = || LogStream { log_group_name: group.to_owned(), log_stream_name: Some(name.to_owned()) };
        Ok(is_there(cx, group, name).await?.then(|| Live::unmarkable(stream(), referred(name, []))))
    }

    async fn create(
        cx: &Context,
        _owner: &Owner,
        stream: &LogStream,
        _left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = id_of(stream);
        let [group, name] = in_group(&id, DESCRIBE, "log stream")?;
        let create = cx.logs.create_log_stream().log_group_name(group).log_stream_name(name);
        let created = when_idle(cx, || async { create.clone().send().await.during("logs.CreateLogStream") }).await;
        none_if(created, AwsError::is_taken)?;
        cx.until(DESCRIBE, "the new stream to show", Patience::seconds(30), || async {
            Ok(is_there(cx, group, name).await?.then_some(()))
        })
        .await?;
        Ok(Made { attributes: referred(name, []), id })
    }

    /// Nothing of a stream can change.
    async fn update(
        _cx: &Context,
        _owner: &Owner,
        id: &PhysicalId,
        _stream: &LogStream,
        _changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let [group, name] = in_group(id, DESCRIBE, "log stream")?;
        let delete = cx.logs.delete_log_stream().log_group_name(group).log_stream_name(name);
        let deleted = when_idle(cx, || async { delete.clone().send().await.during("logs.DeleteLogStream") });
        gone_is_fine(deleted.await)?;
        cx.until(DESCRIBE, "the stream to be gone", Patience::seconds(30), || async {
            Ok((!is_there(cx, group, name).await?).then_some(()))
        })
        .await
    }
}

const DESCRIBE: &str = "logs.DescribeLogStreams";

/// Whether there is a stream of exactly this name; the service finds by the beginning of a name.
async fn is_there(cx: &Context, group: &str, name: &str) -> Result<bool, AwsError> {
    let describe = cx.logs.describe_log_streams().log_group_name(group).log_stream_name_prefix(name);
    let mut pages = describe.into_paginator().send();
    while let Some(page) = pages.next().await {
        let Some(page) = found(DESCRIBE, page)? else { return Ok(false) };
        if page.log_streams().iter().any(|stream| stream.log_stream_name() == Some(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn id_of(stream: &LogStream) -> PhysicalId {
    PhysicalId::join([stream.log_group_name.as_str(), stream.log_stream_name.as_deref().unwrap_or_default()])
}
