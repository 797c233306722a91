"""SQS, SNS and Lambda's policies: small answers that differ from what AWS gives."""

from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores

from gaps import answers, refuse


@answers("sns", "ListSubscriptionsByTopic")
def list_subscriptions_by_topic(context, request, ask):
    """One that nobody confirmed yet has a phrase for an ARN."""
    answer = ask()
    known = sns_stores[context.account_id][context.region].subscriptions

    def as_listed(subscription):
        pending = known[subscription["SubscriptionArn"]]["PendingConfirmation"] == "true"
        # What LocalStack answers may be the very object that it keeps.
        return {**subscription, "SubscriptionArn": "PendingConfirmation"} if pending else subscription

    return {**answer, "Subscriptions": [as_listed(subscription) for subscription in answer["Subscriptions"]]}


@answers("sns", "SetSubscriptionAttributes")
def set_subscription_attributes(context, request, ask):
    """An empty policy takes the policy away."""
    name = request["AttributeName"]
    none = {"FilterPolicy": "{}", "RedrivePolicy": "", "DeliveryPolicy": ""}
    if request.get("AttributeValue", "") != none.get(name):
        return ask()
    store = sns_stores[context.account_id][context.region]
    subscription = store.subscriptions.get(request["SubscriptionArn"])
    if subscription is None:
        refuse("NotFound", "Subscription does not exist", 404)
    subscription.pop(name, None)
    if name == "FilterPolicy":
        store.subscription_filter_policy.pop(request["SubscriptionArn"], None)
    return {}


@answers("sns", "Subscribe")
def subscribe(context, request, ask):
    answer = ask()
    subscription = sns_stores[context.account_id][context.region].subscriptions[answer["SubscriptionArn"]]
    if subscription["PendingConfirmation"] == "true" and not request.get("ReturnSubscriptionArn"):
        return {"SubscriptionArn": "pending confirmation"}
    return answer


@answers("sns", "Unsubscribe")
def unsubscribe(context, request, ask):
    known = sns_stores[context.account_id][context.region].subscriptions
    if known.get(request["SubscriptionArn"], {}).get("PendingConfirmation") == "true":
        refuse("InvalidParameter", "Cannot unsubscribe a subscription that is pending confirmation")
    return ask()


@answers("sns", "DeleteTopic")
def delete_topic(context, request, ask):
    """Takes its subscriptions along."""
    known = sns_stores[context.account_id][context.region].subscriptions
    for arn in [arn for arn, one in known.items() if one["TopicArn"] == request["TopicArn"]]:
        del known[arn]
    return ask()


@answers("sns", "GetTopicAttributes")
def get_topic_attributes(context, request, ask):
    answer = ask()
    known = sns_stores[context.account_id][context.region].subscriptions.values()
    pending = [one["PendingConfirmation"] for one in known if one["TopicArn"] == request["TopicArn"]]
    answer["Attributes"] |= {
        "SubscriptionsConfirmed": str(pending.count("false")),
        "SubscriptionsPending": str(pending.count("true")),
    }
    return answer


@answers("sqs", "CreateQueue")
def create_queue(context, request, ask):
    _refuse_two_kinds_of_encryption(request)
    answer = ask()
    _correct_attributes(context, request["QueueName"], request)
    return answer


@answers("sqs", "SetQueueAttributes")
def set_queue_attributes(context, request, ask):
    _refuse_two_kinds_of_encryption(request)
    answer = ask()
    _correct_attributes(context, request["QueueUrl"].rpartition("/")[2], request)
    return answer


@answers("lambda", "GetPolicy")
def get_policy(context, request, ask):
    answer = ask()
    if '"Statement": []' in answer["Policy"]:
        refuse("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return answer


def _refuse_two_kinds_of_encryption(request):
    attributes = request.get("Attributes") or {}
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        refuse("InvalidAttributeName", "You can use one type of server-side encryption (SSE) at one time.")


def _correct_attributes(context, queue_name, request):
    """A key switches the queue's own encryption off; taking the key away does not switch it on again."""
    asked = request.get("Attributes") or {}
    attributes = sqs_stores[context.account_id][context.region].queues[queue_name].attributes
    if asked.get("KmsMasterKeyId"):
        attributes["SqsManagedSseEnabled"] = "false"
        attributes.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    elif asked.get("KmsMasterKeyId") == "":
        attributes.pop("KmsMasterKeyId", None)
        attributes.pop("KmsDataKeyReusePeriodSeconds", None)
    if asked.get("RedriveAllowPolicy") == "":
        attributes.pop("RedriveAllowPolicy", None)
