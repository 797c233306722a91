"""CloudWatch: tags of alarms and dashboards, names and pages in lists."""

from localstack.aws.api.cloudwatch import DashboardNotFoundError
from localstack.aws.spec import loader
from localstack.services.cloudwatch.models import cloudwatch_stores
from localstack.utils.aws import arns

from gaps import answers, as_map, page


@answers("cloudwatch", "PutMetricAlarm", "PutCompositeAlarm")
def put_alarm(context, request, ask):
    """Tags count when an alarm is made; a later put leaves those that it has."""
    store = cloudwatch_stores[context.account_id][context.region]
    arn = arns.cloudwatch_alarm_arn(request["AlarmName"], context.account_id, context.region)
    exists = arn in store.alarms
    answer = ask({**request, "Tags": []})
    if not exists:
        store.tags.delete_all_tags(arn)
        store.tags.update_tags(arn, as_map(request.get("Tags")))
    return answer


@answers("cloudwatch", "DescribeAlarms")
def describe_alarms(context, request, ask):
    answer = ask()
    prefix = request.get("AlarmNamePrefix", "")
    names = request.get("AlarmNames")
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        (kind, alarm)
        for kind in ("CompositeAlarm", "MetricAlarm")
        if kind in kinds
        for alarm in sorted(answer[f"{kind}s"], key=lambda alarm: alarm["AlarmName"])
        if alarm["AlarmName"].startswith(prefix) and (not names or alarm["AlarmName"] in names)
    ]
    found, token = page(found, request.get("NextToken"), request.get("MaxRecords", 50 if not names else 100))
    return {
        "CompositeAlarms": [alarm for kind, alarm in found if kind == "CompositeAlarm"],
        "MetricAlarms": [alarm for kind, alarm in found if kind == "MetricAlarm"],
        "NextToken": token,
    }


# LocalStack's model of the service is older than the tags of PutDashboard, and leaves out what it does not know.
loader.patches.setdefault("cloudwatch/2010-08-01/service-2", []).append(
    {"op": "add", "path": "/shapes/PutDashboardInput/members/Tags", "value": {"shape": "TagList"}}
)


@answers("cloudwatch", "PutDashboard")
def put_dashboard(context, request, ask):
    """Tags count when a dashboard is made; a later put leaves those that it has."""
    store = cloudwatch_stores[context.account_id][context.region]
    exists = request["DashboardName"] in store.dashboards
    tags = as_map(request.pop("Tags", []))
    answer = ask()
    if not exists:
        arn = arns.cloudwatch_dashboard_arn(request["DashboardName"], context.account_id, context.region)
        store.tags.update_tags(arn, tags)
    return answer


@answers("cloudwatch", "DeleteDashboards")
def delete_dashboards(context, request, ask):
    store = cloudwatch_stores[context.account_id][context.region]
    missing = [name for name in request["DashboardNames"] if name not in store.dashboards]
    if missing:
        raise DashboardNotFoundError(f"Dashboard {missing[0]} does not exist")
    for name in request["DashboardNames"]:
        store.tags.delete_all_tags(arns.cloudwatch_dashboard_arn(name, context.account_id, context.region))
    return ask()


@answers("cloudwatch", "GetDashboard")
def get_dashboard(context, request, ask):
    if request["DashboardName"] not in cloudwatch_stores[context.account_id][context.region].dashboards:
        raise DashboardNotFoundError(f"Dashboard {request['DashboardName']} does not exist")
    return ask()
