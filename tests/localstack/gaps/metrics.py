"""CloudWatch beside alarms and dashboards, which LocalStack lacks: anomaly detectors, insight rules, metric streams."""

import datetime
import json
from collections import defaultdict

from localstack.services.cloudwatch.models import cloudwatch_stores

from gaps import answers, as_map, page, refuse

# (account, region) -> what tells one from another -> the thing
_detectors = defaultdict(dict)
_rules = defaultdict(dict)
_streams = defaultdict(dict)


def arns(account, region):
    """The ARNs of what has tags here."""
    for name in _rules[account, region]:
        yield _rule_arn(account, region, name)
    for stream in _streams[account, region].values():
        yield stream["Arn"]


@answers("cloudwatch", "PutAnomalyDetector")
def put_anomaly_detector(context, request, ask):
    detector, key = _detector_of(request)
    for member in ("Configuration", "MetricCharacteristics"):
        if request.get(member):
            detector[member] = request[member]
    _detectors[_place(context)][key] = {**detector, "StateValue": "PENDING_TRAINING"}
    return {}


@answers("cloudwatch", "DescribeAnomalyDetectors")
def describe_anomaly_detectors(context, request, ask):
    kinds = request.get("AnomalyDetectorTypes") or ["SINGLE_METRIC"]
    found = [
        detector
        for (kind, _), detector in _detectors[_place(context)].items()
        if kind in kinds
        and all(detector.get(name) == request[name] for name in ("Namespace", "MetricName") if name in request)
    ]
    found, token = page(found, request.get("NextToken"), request.get("MaxResults") or 50)
    return {"AnomalyDetectors": found, "NextToken": token}


@answers("cloudwatch", "DeleteAnomalyDetector")
def delete_anomaly_detector(context, request, ask):
    _, key = _detector_of(request)
    if not _detectors[_place(context)].pop(key, None):
        refuse("ResourceNotFoundException", "Anomaly detector not found", 404)
    return {}


@answers("cloudwatch", "PutInsightRule")
def put_insight_rule(context, request, ask):
    name = request["RuleName"]
    try:
        schema = json.loads(request["RuleDefinition"])["Schema"]
    except (ValueError, KeyError):
        refuse("InvalidParameterValue", "The rule definition is not valid")
    rules = _rules[_place(context)]
    if name not in rules:
        _set_tags(context, _rule_arn(*_place(context), name), request)
    rules[name] = {
        "Name": name,
        "State": request.get("RuleState") or "ENABLED",
        "Schema": json.dumps(schema),
        "Definition": request["RuleDefinition"],
        "ManagedRule": False,
        "ApplyOnTransformedLogs": bool(request.get("ApplyOnTransformedLogs")),
    }
    return {}


@answers("cloudwatch", "DescribeInsightRules")
def describe_insight_rules(context, request, ask):
    rules = list(_rules[_place(context)].values())
    rules, token = page(rules, request.get("NextToken"), request.get("MaxResults") or 500)
    return {"InsightRules": rules, "NextToken": token}


@answers("cloudwatch", "DeleteInsightRules")
def delete_insight_rules(context, request, ask):
    failures = []
    for name in request["RuleNames"]:
        if name.startswith("DynamoDBContributorInsights"):
            reason = "A built-in rule cannot be deleted"
            failures.append({"FailureResource": name, "FailureCode": "InvalidParameterValue", "FailureDescription": reason})
        elif _rules[_place(context)].pop(name, None):
            _forget_tags(context, _rule_arn(*_place(context), name))
    return {"Failures": failures}


@answers("cloudwatch", "PutMetricStream")
def put_metric_stream(context, request, ask):
    if request.get("IncludeFilters") and request.get("ExcludeFilters"):
        refuse("InvalidParameterCombination", "A stream has filters of one kind: those to include, or those to exclude")
    name = request["Name"]
    account, region = place = _place(context)
    now = datetime.datetime.now(datetime.UTC)
    known = _streams[place].get(name)
    stream = {key: value for key, value in request.items() if key != "Tags" and value is not None}
    stream |= {
        "Arn": f"arn:aws:cloudwatch:{region}:{account}:metric-stream/{name}",
        "State": known["State"] if known else "running",
        "CreationDate": known["CreationDate"] if known else now,
        "LastUpdateDate": now,
    }
    if not known:
        _set_tags(context, stream["Arn"], request)
    _streams[place][name] = stream
    return {"Arn": stream["Arn"]}


@answers("cloudwatch", "GetMetricStream")
def get_metric_stream(context, request, ask):
    stream = _streams[_place(context)].get(request["Name"])
    if not stream:
        refuse("ResourceNotFoundException", f"Metric stream {request['Name']} does not exist", 404)
    return stream


@answers("cloudwatch", "ListMetricStreams")
def list_metric_streams(context, request, ask):
    members = ("Arn", "CreationDate", "LastUpdateDate", "Name", "FirehoseArn", "State", "OutputFormat")
    streams = [{member: stream[member] for member in members} for stream in _streams[_place(context)].values()]
    streams, token = page(streams, request.get("NextToken"), request.get("MaxResults") or 500)
    return {"Entries": streams, "NextToken": token}


@answers("cloudwatch", "DeleteMetricStream")
def delete_metric_stream(context, request, ask):
    """Of a stream that is not there nothing is said."""
    if stream := _streams[_place(context)].pop(request["Name"], None):
        _forget_tags(context, stream["Arn"])
    return {}


def _place(context):
    return context.account_id, context.region


def _rule_arn(account, region, name):
    return f"arn:aws:cloudwatch:{region}:{account}:insight-rule/{name}"


def _detector_of(request):
    """What a request says a detector is for, in both forms as CloudWatch shows it, and what tells it from others."""
    if math := request.get("MetricMathAnomalyDetector"):
        return {"MetricMathAnomalyDetector": math}, ("METRIC_MATH", json.dumps(math, sort_keys=True, default=str))
    members = ("Namespace", "MetricName", "Stat", "Dimensions")
    named = request.get("SingleMetricAnomalyDetector") or {name: request[name] for name in members if name in request}
    if not {"Namespace", "MetricName", "Stat"} <= named.keys():
        refuse("MissingParameter", "A detector needs a namespace, a metric and a statistic")
    dimensions = sorted((one["Name"], one["Value"]) for one in named.get("Dimensions") or [])
    key = json.dumps([named.get("AccountId"), named["Namespace"], named["MetricName"], named["Stat"], dimensions])
    older = {name: named[name] for name in members if name in named}
    return {**older, "SingleMetricAnomalyDetector": named}, ("SINGLE_METRIC", key)


def _set_tags(context, arn, request):
    """Tags count when a thing is made; a later put leaves those that it has."""
    cloudwatch_stores[context.account_id][context.region].tags.update_tags(arn, as_map(request.get("Tags")))


def _forget_tags(context, arn):
    cloudwatch_stores[context.account_id][context.region].tags.delete_all_tags(arn)
