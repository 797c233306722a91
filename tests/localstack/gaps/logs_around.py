"""CloudWatch Logs beside log groups: destinations, policies of an account and anomaly detectors."""

import time
import uuid
from collections import defaultdict

from moto.logs.models import logs_backends

from gaps import answers, page, refuse

# (account, region) -> (type, name) -> policy
_policies = defaultdict(dict)
# (account, region) -> ARN -> detector
_detectors = defaultdict(dict)
# ARN -> tags of a destination or a detector
_tags = {}


def tags_of(account, region, arn):
    """The tags of a destination or a detector as a mapping that can be changed, or `None`."""
    if arn in logs_backends[account][region].destinations or arn in _detectors[account, region]:
        return _tags.setdefault(arn, {})
    return None


def arns(account, region):
    return [*logs_backends[account][region].destinations, *_detectors[account, region]]


@answers("logs", "PutDestination")
def put_destination(context, request, ask):
    """Tags count when it is made."""
    arn = f"arn:aws:logs:{context.region}:{context.account_id}:destination:{request['destinationName']}"
    exists = arn in logs_backends[context.account_id][context.region].destinations
    answer = ask({**request, "tags": {}})
    if not exists:
        _tags[arn] = dict(request.get("tags") or {})
    return answer


@answers("logs", "DescribeDestinations")
def describe_destinations(context, request, ask):
    prefix = request.get("DestinationNamePrefix", "")
    found = [
        {name: value for name, value in destination.to_dict().items() if value is not None}
        for destination in logs_backends[context.account_id][context.region].destinations.values()
        if destination.destination_name.startswith(prefix)
    ]
    found, token = page(found, request.get("nextToken"), request.get("limit") or 50)
    return {"destinations": found, "nextToken": token}


@answers("logs", "DeleteDestination")
def delete_destination(context, request, ask):
    answer = ask()
    _tags.pop(f"arn:aws:logs:{context.region}:{context.account_id}:destination:{request['destinationName']}", None)
    return answer


@answers("logs", "PutAccountPolicy")
def put_account_policy(context, request, ask):
    policy = {
        "policyName": request["policyName"],
        "policyType": request["policyType"],
        "policyDocument": request["policyDocument"],
        "scope": request.get("scope") or "ALL",
        "lastUpdatedTime": _now(),
        "accountId": context.account_id,
    }
    if request.get("selectionCriteria"):
        policy["selectionCriteria"] = request["selectionCriteria"]
    _policies[context.account_id, context.region][policy["policyType"], policy["policyName"]] = policy
    return {"accountPolicy": policy}


@answers("logs", "DescribeAccountPolicies")
def describe_account_policies(context, request, ask):
    name = request.get("policyName")
    found = [
        policy
        for (kind, its_name), policy in _policies[context.account_id, context.region].items()
        if kind == request["policyType"] and name in (None, its_name)
    ]
    return {"accountPolicies": found}


@answers("logs", "DeleteAccountPolicy")
def delete_account_policy(context, request, ask):
    key = request["policyType"], request["policyName"]
    if not _policies[context.account_id, context.region].pop(key, None):
        refuse("ResourceNotFoundException", "The specified policy does not exist.")
    return {}


@answers("logs", "CreateLogAnomalyDetector")
def create_log_anomaly_detector(context, request, ask):
    arn = f"arn:aws:logs:{context.region}:{context.account_id}:anomaly-detector:{uuid.uuid4()}"
    groups = logs_backends[context.account_id][context.region].groups.values()
    for group in request["logGroupArnList"]:
        if group not in {one.arn.removesuffix(":*") for one in groups}:
            refuse("ResourceNotFoundException", "The specified log group does not exist.")
    detector = {name: value for name, value in request.items() if name != "tags" and value is not None}
    detector.setdefault("detectorName", arn.rpartition(":")[2])
    detector.setdefault("evaluationFrequency", "FIVE_MIN")
    detector.setdefault("anomalyVisibilityTime", 21)
    detector |= {"anomalyDetectorStatus": "INITIALIZING", "creationTimeStamp": _now(), "lastModifiedTimeStamp": _now()}
    _detectors[context.account_id, context.region][arn] = detector
    _tags[arn] = dict(request.get("tags") or {})
    return {"anomalyDetectorArn": arn}


@answers("logs", "GetLogAnomalyDetector")
def get_log_anomaly_detector(context, request, ask):
    return _detector(context, request)


@answers("logs", "ListLogAnomalyDetectors")
def list_log_anomaly_detectors(context, request, ask):
    group = request.get("filterLogGroupArn")
    found = [
        {"anomalyDetectorArn": arn, **detector}
        for arn, detector in _detectors[context.account_id, context.region].items()
        if group is None or group in detector["logGroupArnList"]
    ]
    found, token = page(found, request.get("nextToken"), request.get("limit") or 50)
    return {"anomalyDetectors": found, "nextToken": token}


@answers("logs", "UpdateLogAnomalyDetector")
def update_log_anomaly_detector(context, request, ask):
    detector = _detector(context, request)
    for name in ("evaluationFrequency", "filterPattern", "anomalyVisibilityTime"):
        if request.get(name) is not None:
            detector[name] = request[name]
    detector["anomalyDetectorStatus"] = "INITIALIZING" if request["enabled"] else "PAUSED"
    detector["lastModifiedTimeStamp"] = _now()
    return {}


@answers("logs", "DeleteLogAnomalyDetector")
def delete_log_anomaly_detector(context, request, ask):
    _detector(context, request)
    del _detectors[context.account_id, context.region][request["anomalyDetectorArn"]]
    _tags.pop(request["anomalyDetectorArn"], None)
    return {}


def _detector(context, request):
    detector = _detectors[context.account_id, context.region].get(request["anomalyDetectorArn"])
    if detector is None:
        refuse("ResourceNotFoundException", "The specified anomaly detector does not exist.")
    return detector


def _now():
    return int(time.time() * 1000)
