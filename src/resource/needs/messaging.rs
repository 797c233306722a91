//! What the types of SNS and SQS need.

use super::{Need, anything, need, pass, queues};

pub(super) const NEEDS: &[Need] = &[
    // The service knows no resources for what is asked of one subscription.
    need(
        "AWS::SNS::Subscription",
        anything,
        &["sns.GetSubscriptionAttributes", "sns.SetSubscriptionAttributes", "sns.Unsubscribe"],
    ),
    need("AWS::SNS::Subscription", |it| it.arns("TopicArn"), &["sns.ListSubscriptionsByTopic", "sns.Subscribe"]),
    pass("AWS::SNS::Subscription", "sns.amazonaws.com", |it| it.arns("SubscriptionRoleArn")),
    need(
        "AWS::SNS::Topic",
        |it| it.named("sns", "", "TopicName"),
        &[
            "sns.CreateTopic",
            "sns.DeleteTopic",
            "sns.GetDataProtectionPolicy",
            "sns.GetTopicAttributes",
            "sns.ListSubscriptionsByTopic",
            "sns.ListTagsForResource",
            "sns.PutDataProtectionPolicy",
            "sns.SetTopicAttributes",
            "sns.Subscribe",
            "sns.TagResource",
            "sns.UntagResource",
        ],
    ),
    need("AWS::SNS::Topic", |it| it.where_set("Subscription", anything), &["sns.Unsubscribe"]),
    need("AWS::SNS::TopicPolicy", |it| it.arns("Topics"), &["sns.GetTopicAttributes", "sns.SetTopicAttributes"]),
    need(
        "AWS::SQS::Queue",
        |it| it.named("sqs", "", "QueueName"),
        &[
            "sqs.CreateQueue",
            "sqs.DeleteQueue",
            "sqs.GetQueueAttributes",
            "sqs.GetQueueUrl",
            "sqs.ListQueueTags",
            "sqs.SetQueueAttributes",
            "sqs.TagQueue",
            "sqs.UntagQueue",
        ],
    ),
    need("AWS::SQS::QueuePolicy", queues, &["sqs.GetQueueAttributes", "sqs.GetQueueUrl", "sqs.SetQueueAttributes"]),
    need(
        "AWS::SNS::TopicInlinePolicy",
        |it| it.arns("TopicArn"),
        &["sns.GetTopicAttributes", "sns.SetTopicAttributes"],
    ),
    need(
        "AWS::SQS::QueueInlinePolicy",
        |it| vec![it.scope.arn("sqs", it.text("Queue").map_or("*", |url| url.rsplit('/').next().unwrap_or(url)))],
        &["sqs.GetQueueAttributes", "sqs.SetQueueAttributes"],
    ),
];
