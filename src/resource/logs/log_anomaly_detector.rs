//! `AWS::Logs::LogAnomalyDetector`. Found by its owner's marks: CloudFormation has no tags for it, the service has. Its name
//! need not be unique. The log group and the key replace it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::aws::error::{AwsError, During, absent_is_none, found, gone_is_fine};
use crate::aws::wait::Patience;
use crate::aws::{Context, Scope};
use crate::change::Changes;
use crate::identity::PhysicalId;
use crate::resource::logs::tagging;
use crate::resource::tags::Tags;
use crate::resource::{Attributes, Handler, Live, Made, Mark, Owner, referred};

pub struct LogsLogAnomalyDetector;

/// The template's names and shapes. What the service does when the template is silent is `Default`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct LogAnomalyDetector {
    pub detector_name: Option<String>,
    pub log_group_arn_list: BTreeSet<String>,
    pub evaluation_frequency: Option<String>,
    pub filter_pattern: Option<String>,
    /// Days.
    pub anomaly_visibility_time: Option<i64>,
    pub kms_key_id: Option<String>,
}

impl Handler for LogsLogAnomalyDetector {
    const TYPE: &'static str = "AWS::Logs::LogAnomalyDetector";
    const FOUND_BY: &'static [&'static str] = &["LogGroupArnList"];
    const CREATES_ANOTHER: bool = true;
    const TAGGED_AS: Option<&'static str> = Some("logs:anomaly-detector");
    const ALSO_CREATE_ONLY: &'static [&'static str] = &["DetectorName", "KmsKeyId", "LogGroupArnList"];
    const REFUSED: &'static [(&'static str, &'static str)] =
        &[("AccountId", "the account is that of the stack: leave it out")];
    type Properties = LogAnomalyDetector;

    fn complete(detector: &mut LogAnomalyDetector) {
        detector.filter_pattern.take_if(|pattern| pattern.is_empty());
        // `GetAtt Arn` of a log group ends so, and the service writes it without.
        let without_star = |arn: &String| arn.strip_suffix(":*").unwrap_or(arn).to_owned();
        detector.log_group_arn_list = detector.log_group_arn_list.iter().map(without_star).collect();
    }

    /// Its ARN is the service's to give.
    fn predict(_scope: &Scope, _detector: &LogAnomalyDetector) -> Attributes {
        Attributes::new()
    }

    /// The service chooses where the template is silent.
    fn equate(live: &mut LogAnomalyDetector, wanted: &LogAnomalyDetector) {
        if wanted.detector_name.is_none() {
            live.detector_name = None;
        }
        if wanted.evaluation_frequency.is_none() {
            live.evaluation_frequency = None;
        }
        if wanted.anomaly_visibility_time.is_none() {
            live.anomaly_visibility_time = None;
        }
    }

    async fn find(cx: &Context, owner: &Owner, detector: &LogAnomalyDetector) -> Result<Option<PhysicalId>, AwsError> {
        for group in &detector.log_group_arn_list {
            for arn in listed(cx, group).await? {
                if owner_of(cx, &arn).await?.as_ref() == Some(owner) {
                    return Ok(Some(PhysicalId::from(arn)));
                }
            }
        }
        Ok(None)
    }

    async fn read(cx: &Context, id: &PhysicalId) -> Result<Option<Live<LogAnomalyDetector>>, AwsError> {
        let get = cx.logs.get_log_anomaly_detector().anomaly_detector_arn(id.as_str());
        let Some(live) = found(GET, get.send().await)? else { return Ok(None) };
        let owner = owner_of(cx, id.as_str()).await?;
        let mut attributes = attributes_of(id.as_str());
        let status = live.anomaly_detector_status().map(|status| status.as_str()).unwrap_or_default();
        attributes.insert("AnomalyDetectorStatus".to_owned(), json!(status));
        attributes.insert("CreationTimeStamp".to_owned(), json!(live.creation_time_stamp));
        attributes.insert("LastModifiedTimeStamp".to_owned(), json!(live.last_modified_time_stamp));
        let detector = LogAnomalyDetector {
            detector_name: live.detector_name,
            log_group_arn_list: live.log_group_arn_list.unwrap_or_default().into_iter().collect(),
            evaluation_frequency: live.evaluation_frequency.map(|it| it.as_str().to_owned()),
            filter_pattern: live.filter_pattern,
            anomaly_visibility_time: live.anomaly_visibility_time,
            kms_key_id: live.kms_key_id,
        };
        Ok(Some(Live { properties: detector, attributes, mark: Mark::Elsewhere(owner) }))
    }

    async fn create(
        cx: &Context,
        owner: &Owner,
        detector: &LogAnomalyDetector,
        left: Option<PhysicalId>,
    ) -> Result<Made, AwsError> {
        let id = match left {
            Some(id) => id,
            None => make(cx, owner, detector).await?,
        };
        let shown = cx.until(GET, "the new detector to show", Patience::seconds(60), || Self::read(cx, &id)).await?;
        Ok(Made { id, attributes: shown.attributes })
    }

    async fn update(
        cx: &Context,
        owner: &Owner,
        id: &PhysicalId,
        detector: &LogAnomalyDetector,
        changes: &Changes,
    ) -> Result<PhysicalId, AwsError> {
        if owner_of(cx, id.as_str()).await?.as_ref() != Some(owner) {
            let tag = cx.logs.tag_resource().resource_arn(id.as_str()).set_tags(Some(Tags::marks(owner).to_map()));
            tag.send().await.during("logs.TagResource")?;
        }
        if changes.touch_any(&["EvaluationFrequency", "FilterPattern", "AnomalyVisibilityTime"]) {
            let update = cx.logs.update_log_anomaly_detector().anomaly_detector_arn(id.as_str()).enabled(true);
            let update = update.set_evaluation_frequency(detector.evaluation_frequency.as_deref().map(Into::into));
            let update = update.filter_pattern(detector.filter_pattern.as_deref().unwrap_or_default());
            let update = update.set_anomaly_visibility_time(detector.anomaly_visibility_time);
            update.send().await.during("logs.UpdateLogAnomalyDetector")?;
        }
        Ok(id.clone())
    }

    async fn delete(cx: &Context, id: &PhysicalId) -> Result<(), AwsError> {
        let delete = cx.logs.delete_log_anomaly_detector().anomaly_detector_arn(id.as_str());
        gone_is_fine(delete.send().await.during("logs.DeleteLogAnomalyDetector"))?;
        cx.until(GET, "the detector to be gone", Patience::seconds(60), || async {
            let get = cx.logs.get_log_anomaly_detector().anomaly_detector_arn(id.as_str());
            Ok(found(GET, get.send().await)?.is_none().then_some(()))
        })
        .await
    }

    async fn identify(cx: &Context, arn: &str) -> Result<Option<PhysicalId>, AwsError> {
        Ok(arn.starts_with(&cx.scope.arn("logs", "anomaly-detector:")).then(|| PhysicalId::from(arn)))
    }
}

const GET: &str = "logs.GetLogAnomalyDetector";

/// The ARNs of the detectors of a log group; none where the group is not there.
async fn listed(cx: &Context, group: &str) -> Result<Vec<String>, AwsError> {
    let list = cx.logs.list_log_anomaly_detectors().filter_log_group_arn(group);
    let detectors: Result<Vec<_>, _> = list.into_paginator().items().send().try_collect().await;
    let detectors = absent_is_none(detectors.during("logs.ListLogAnomalyDetectors"))?.unwrap_or_default();
    Ok(detectors.into_iter().filter_map(|detector| detector.anomaly_detector_arn).collect())
}

async fn owner_of(cx: &Context, arn: &str) -> Result<Option<Owner>, AwsError> {
    Ok(tagging::read(cx, arn).await?.and_then(|tags| tags.owner()))
}

async fn make(cx: &Context, owner: &Owner, detector: &LogAnomalyDetector) -> Result<PhysicalId, AwsError> {
    const CREATE: &str = "logs.CreateLogAnomalyDetector";
    let create = cx
        .logs
        .create_log_anomaly_detector()
        .set_detector_name(detector.detector_name.clone())
        .set_log_group_arn_list(Some(detector.log_group_arn_list.iter().cloned().collect()))
        .set_evaluation_frequency(detector.evaluation_frequency.as_deref().map(Into::into))
        .set_filter_pattern(detector.filter_pattern.clone())
        .set_anomaly_visibility_time(detector.anomaly_visibility_time)
        .set_kms_key_id(detector.kms_key_id.clone())
        .set_tags(Some(Tags::marks(owner).to_map()));
    let answer = create.send().await.during(CREATE)?;
    answer.anomaly_detector_arn.map(PhysicalId::from).ok_or_else(|| AwsError::missing(CREATE, "anomalyDetectorArn"))
}

fn attributes_of(arn: &str) -> Attributes {
    referred(arn, [("AnomalyDetectorArn", arn.to_owned())])
}
