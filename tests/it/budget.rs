//! What plan and apply say that they are going to ask of AWS, held against what the emulator is asked, call by call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fault_proxy::fault::{Fault, What, When};
use fault_proxy::{Line, Script};
use paystack::resource::{TYPES, row};
use serde_json::{Map, Value, json};

use crate::harness::{Account, Paystack};
use crate::walks::{of_many_types, types, write_layers};

/// How often each operation is called.
type Calls = BTreeMap<String, i64>;

/// The API Gateway logging role belongs to the account; a test's account is its own.
const OWN_ACCOUNT: [&str; 2] = ["-p", "ManageApiGatewayAccount=true"];

/// Calls of Terraform's AWS provider for a plan of the same system with nothing to change, and the share of them that is allowed.
const TERRAFORM: (usize, usize) = (82, 60);

#[test]
fn the_calls_that_are_made_are_those_that_were_foreseen() {
    let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
    paystack.copy("paystack.toml").copy("examples").copy("handlers");
    let run = |arguments: &[&str], faults: Vec<Fault>| {
        let proxy = account.proxy(Script { faults, ..Script::default() });
        let arguments = [arguments, &["--format", "json"], &OWN_ACCOUNT].concat();
        let ran = paystack.run(&account.through(&proxy), &arguments).exits(0);
        (if arguments[0] == "plan" { ran.json() } else { ran.last_json() }, proxy.log())
    };

    // Nothing is remembered: what the search takes is seen by searching, and applying searches once more.
    let (_, searched) = run(&["plan"], vec![]);
    let (applied, log) = run(&["apply", "--auto-approve"], vec![]);
    assert_same(
        of_tasks(&searched, &log, &applied),
        foreseen(&applied, &["/foreseen/applying"]),
        "applying to an empty account",
    );
    assert!(applied["bound"]["ratio"].as_f64().is_some_and(|ratio| ratio >= 1.0), "{}", applied["bound"]);

    // With half a second on every call, those of one round overlap however busy the machine is.
    let later = Fault { when: When::Chance(1.0), what: What::Delay(Duration::from_millis(500)) };
    let (planned, log) = run(&["plan"], vec![later]);
    assert_same(asked(&log, &planned), foreseen(&planned, &["/foreseen/reading"]), "planning with nothing to change");
    assert_eq!(foreseen(&planned, &["/foreseen/applying"]), Calls::new(), "there is nothing to apply");
    let (terraform, percent) = TERRAFORM;
    assert!(log.len() * 100 <= terraform * percent, "{} calls are too many: {log:#?}", log.len());
    assert!(rounds(&log) <= 4, "{} rounds are too many: {log:#?}", rounds(&log));

    let template = "examples/payments/template.yaml";
    paystack.replace(template, "Threshold: !Ref OldestMessageAgeThresholdSeconds", "Threshold: 77");
    let (applied, log) = run(&["apply", "--auto-approve"], vec![]);
    assert_eq!(applied["plan"]["summary"]["updated"], 1, "{}", applied["plan"]["summary"]);
    let both = ["/foreseen/reading", "/foreseen/applying"];
    assert_same(asked(&log, &applied), foreseen(&applied, &both), "applying one change");

    let (destroyed, log) = run(&["destroy", "--auto-approve"], vec![]);
    let foreseen = foreseen(&destroyed, &["/foreseen/applying"]);
    assert_same(writes(asked(&log, &destroyed)), writes(foreseen), "destroying");
}

/// Templates that have every type among them are made, planned with nothing to change, changed, tagged, and destroyed.
#[test]
fn the_calls_for_every_type_are_foreseen() {
    let templates = of_many_types(3);
    let missing: Vec<&str> =
        TYPES.iter().map(|row| row.handler.resource_type()).filter(|name| !types(&templates).contains(name)).collect();
    assert!(missing.is_empty(), "no template has {missing:?}");
    let mut seen = BTreeSet::new();
    for mut resources in templates {
        let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
        write_layers(&paystack);
        let want = |resources: &Map<String, Value>| {
            paystack.write("all.json", &json!({ "Resources": resources }).to_string());
        };
        want(&resources);
        let run = |arguments: &[&str]| {
            let proxy = account.proxy(Script::default());
            let arguments = [arguments, &["--template", "all.json", "--stack", "all", "--format", "json"]].concat();
            let ran = paystack.run(&account.through(&proxy), &arguments).exits(0);
            (if arguments[0] == "plan" { ran.json() } else { ran.last_json() }, proxy.log())
        };
        let (_, searched) = run(&["plan"]);
        let (applied, log) = run(&["apply", "--auto-approve"]);
        assert_same(
            of_tasks(&searched, &log, &applied),
            foreseen(&applied, &["/foreseen/applying"]),
            "applying to an empty account",
        );

        let (planned, log) = run(&["plan"]);
        assert_same(asked(&log, &planned), foreseen(&planned, &["/foreseen/reading"]), "planning");

        let both = ["/foreseen/reading", "/foreseen/applying"];
        for (changes, tag) in [(CHANGES, None), (MORE_CHANGES, Some("along with other changes"))] {
            if tag.is_some() {
                resources.values_mut().for_each(|it| _ = set_tag(it, tag));
            }
            let changed: Vec<_> = resources.values_mut().filter_map(|it| change(it, changes)).collect();
            want(&resources);
            let (applied, log) = run(&["apply", "--auto-approve"]);
            // A stage follows where a changed API is deployed anew.
            let updated = applied["plan"]["summary"]["updated"].as_u64().unwrap_or_default() as usize;
            assert!(updated >= changed.len(), "{updated} of {changed:?} are updated: {}", applied["plan"]["summary"]);
            seen.extend(changed);
            assert_same(asked(&log, &applied), foreseen(&applied, &both), "applying changes");
        }

        for (what, tag) in [("tagging", Some("first")), ("tagging anew", Some("second")), ("untagging", None)] {
            let tagged = resources.values_mut().map(|it| set_tag(it, tag)).filter(|is_tagged| *is_tagged).count();
            assert!(tagged > 5, "{tagged} resources take tags");
            want(&resources);
            let (applied, log) = run(&["apply", "--auto-approve"]);
            let updated = applied["plan"]["summary"]["updated"].as_u64().unwrap_or_default() as usize;
            assert_eq!(updated, tagged, "{what}: {}", applied["plan"]["summary"]);
            assert_same(asked(&log, &applied), foreseen(&applied, &both), what);
        }

        let (destroyed, log) = run(&["destroy", "--auto-approve"]);
        let foreseen = foreseen(&destroyed, &["/foreseen/applying"]);
        assert_same(writes(asked(&log, &destroyed)), writes(foreseen), "destroying");
    }
    let unseen: Vec<_> = CHANGES.iter().chain(MORE_CHANGES).filter(|it| !seen.contains(*it)).collect();
    assert!(unseen.is_empty(), "no template has {unseen:?}");
}

/// Three each of what the service lists and deletes several of at once.
#[test]
fn what_one_call_tells_or_deletes_takes_one_call() {
    let (account, paystack) = (Account::fresh(), Paystack::in_empty_directory());
    let rule = json!({"Schema": {"Name": "CloudWatchLogRule", "Version": 1}, "LogGroupNames": ["/orders"], "LogFormat": "JSON",
        "Contribution": {"Keys": ["$.customer"], "Filters": []}, "AggregateOn": "Count"});
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
        "Action": "logs:PutLogEvents", "Principal": {"Service": "es.amazonaws.com"}}]});
    let mut resources = json!({"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/orders"}}});
    for number in 1..=3 {
        let name = format!("orders-{number}");
        let metric = json!({"MetricName": name, "MetricNamespace": "Orders", "MetricValue": "1"});
        let of_kinds = [
            (
                "Dashboard",
                "AWS::CloudWatch::Dashboard",
                json!({"DashboardName": format!("board{number}"), "DashboardBody": "{\"widgets\": []}"}),
            ),
            (
                "Rule",
                "AWS::CloudWatch::InsightRule",
                json!({"RuleName": format!("rule{number}"), "RuleBody": rule.to_string(), "RuleState": "ENABLED"}),
            ),
            (
                "Filter",
                "AWS::Logs::MetricFilter",
                json!({"LogGroupName": {"Ref": "Group"}, "FilterName": name, "FilterPattern": "", "MetricTransformations": [metric]}),
            ),
            ("Policy", "AWS::Logs::ResourcePolicy", json!({"PolicyName": name, "PolicyDocument": policy.to_string()})),
        ];
        for (kind, resource_type, properties) in of_kinds {
            resources[format!("{kind}{number}")] = json!({"Type": resource_type, "Properties": properties});
        }
    }
    paystack.write("several.json", &json!({ "Resources": resources }).to_string());
    let run = |arguments: &[&str]| {
        let proxy = account.proxy(Script::default());
        let arguments = [arguments, &["--template", "several.json", "--stack", "several", "--format", "json"]].concat();
        let ran = paystack.run(&account.through(&proxy), &arguments).exits(0);
        (if arguments[0] == "plan" { ran.json() } else { ran.last_json() }, proxy.log())
    };
    run(&["apply", "--auto-approve"]);

    let (planned, log) = run(&["plan"]);
    assert_eq!(planned["summary"]["updated"], 0, "{}", planned["summary"]);
    let planning = asked(&log, &planned);
    assert_same(planning.clone(), foreseen(&planned, &["/foreseen/reading"]), "planning");
    for call in ["cloudwatch.DescribeInsightRules", "logs.DescribeMetricFilters", "logs.DescribeResourcePolicies"] {
        assert_eq!(planning.get(call), Some(&1), "{call} tells of all three");
    }

    let (destroyed, log) = run(&["destroy", "--auto-approve"]);
    let destroying = writes(asked(&log, &destroyed));
    assert_same(destroying.clone(), writes(foreseen(&destroyed, &["/foreseen/applying"])), "destroying");
    for call in ["cloudwatch.DeleteDashboards", "cloudwatch.DeleteInsightRules"] {
        assert_eq!(destroying.get(call), Some(&1), "{call} deletes all three");
    }
}

/// Of which type, the property, and its new value.
type Change = (&'static str, &'static str, &'static str);

/// Changes of which the calls are foreseen.
const CHANGES: &[Change] = &[
    ("AWS::ApiGateway::ApiKey", "Description", "'changed'"),
    ("AWS::ApiGateway::ClientCertificate", "Description", "'changed'"),
    ("AWS::ApiGateway::DocumentationVersion", "Description", "'changed'"),
    ("AWS::ApiGateway::DomainName", "RegionalCertificateArn", "'arn:aws:acm:us-east-1:123456789012:certificate/9'"),
    ("AWS::ApiGateway::GatewayResponse", "StatusCode", "'499'"),
    ("AWS::ApiGateway::VpcLink", "Name", "'changed'"),
    ("AWS::CloudWatch::Alarm", "Threshold", "77"),
    ("AWS::CloudWatch::AnomalyDetector", "Configuration", "{'MetricTimeZone': 'Asia/Tokyo'}"),
    ("AWS::CloudWatch::CompositeAlarm", "AlarmDescription", "'changed'"),
    ("AWS::CloudWatch::MetricStream", "OutputFormat", "'opentelemetry0.7'"),
    ("AWS::IAM::Group", "Path", "'/changed/'"),
    ("AWS::IAM::Role", "Description", "'changed'"),
    ("AWS::IAM::ServiceLinkedRole", "Description", "'changed'"),
    ("AWS::Lambda::Alias", "Description", "'changed'"),
    ("AWS::Lambda::CodeSigningConfig", "Description", "'changed'"),
    ("AWS::Lambda::EventInvokeConfig", "MaximumRetryAttempts", "1"),
    ("AWS::Lambda::Function", "Description", "'changed'"),
    ("AWS::Lambda::Url", "Cors", "{'AllowOrigins': ['https://example.com']}"),
    ("AWS::Logs::Destination", "TargetArn", "'arn:aws:kinesis:us-east-1:123456789012:stream/changed'"),
    ("AWS::Logs::LogAnomalyDetector", "EvaluationFrequency", "'ONE_HOUR'"),
    ("AWS::Logs::LogGroup", "RetentionInDays", "90"),
    ("AWS::Logs::MetricFilter", "FilterPattern", "'changed'"),
    ("AWS::Logs::QueryDefinition", "QueryString", "'fields @message'"),
    ("AWS::Logs::SubscriptionFilter", "FilterPattern", "'changed'"),
    ("AWS::SNS::Topic", "DisplayName", "'changed'"),
    ("AWS::SQS::Queue", "DelaySeconds", "77"),
    ("AWS::WAFv2::IPSet", "Addresses", "['198.51.100.7/32']"),
    ("AWS::WAFv2::RegexPatternSet", "RegularExpressionList", "['changed']"),
    ("AWS::WAFv2::RuleGroup", "Description", "'changed'"),
    ("AWS::WAFv2::WebACL", "Description", "'changed'"),
];

/// Of what has calls of its own.
const MORE_CHANGES: &[Change] = &[
    ("AWS::ApiGateway::Method", "ApiKeyRequired", "true"),
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "{'PointInTimeRecoveryEnabled': true}"),
    ("AWS::Lambda::Function", "ReservedConcurrentExecutions", "1"),
    ("AWS::Logs::LogGroup", "FieldIndexPolicies", "[{'Fields': ['changed']}]"),
    ("AWS::SNS::Subscription", "FilterPolicy", "{'kind': ['changed']}"),
];

/// Changes a resource, if there is a change for its type that is one.
fn change(resource: &mut Value, changes: &'static [Change]) -> Option<Change> {
    let of_type = changes.iter().find(|(resource_type, ..)| resource["Type"] == *resource_type);
    let found @ (_, property, value) = of_type?;
    let changed: Value = serde_json::from_str(&value.replace('\'', "\"")).expect("it is JSON");
    let was = std::mem::replace(&mut resource["Properties"][*property], changed);
    (was != resource["Properties"][*property]).then_some(*found)
}

/// The tag that the test adds, changes and removes.
const TAG: &str = "budget";

/// Gives a resource this value for the test's tag, or takes it away, if its type is one whose tags can be changed.
fn set_tag(resource: &mut Value, value: Option<&str>) -> bool {
    let row = row(&resource["Type"].as_str().unwrap_or_default().into()).expect("the type is handled");
    // The tags of a global table are those of its replicas.
    if row.facts().tag_property().is_none_or(|tags| !row.facts().has_property(tags)) {
        return false;
    }
    let Some(properties) = resource["Properties"].as_object_mut() else { return false };
    let before = properties.remove("Tags").unwrap_or_default();
    let others = before.as_array().cloned().unwrap_or_default().into_iter().filter(|tag| tag["Key"] != TAG);
    let tag = value.map(|value| json!({"Key": TAG, "Value": value}));
    let tags: Vec<Value> = others.chain(tag).collect();
    if !tags.is_empty() {
        properties.insert("Tags".to_owned(), tags.into());
    }
    true
}

/// What the tasks of a first apply have asked, which searches once more as the plan before it has.
fn of_tasks(searched: &[Line], log: &[Line], applied: &Value) -> Calls {
    let mut calls = asked(log, applied);
    asked(searched, &Value::Null).into_iter().for_each(|(call, count)| *calls.entry(call).or_default() -= count);
    calls
}

/// What a destroy looks for, before and after, depends on what it finds.
fn writes(mut calls: Calls) -> Calls {
    let reads = ["Describe", "Get", "List", "Scan"];
    calls.retain(|call, _| !reads.iter().any(|verb| call.contains(&format!(".{verb}"))));
    calls
}

/// What a log has, without what was repeated or only waited.
fn asked(log: &[Line], said: &Value) -> Calls {
    let mut calls = Calls::new();
    // Whose the credentials are is asked before anything is known.
    for line in log.iter().filter(|line| line.call != "sts.GetCallerIdentity") {
        *calls.entry(line.call.clone()).or_default() += 1;
    }
    for (service, operations) in said["calls"].as_object().into_iter().flatten() {
        for (operation, count) in operations.as_object().into_iter().flatten() {
            let apart = count["retries"].as_i64().unwrap_or_default() + count["waits"].as_i64().unwrap_or_default();
            *calls.entry(format!("{service}.{operation}")).or_default() -= apart;
        }
    }
    calls
}

/// What was foreseen, in one or more of its parts together.
fn foreseen(said: &Value, parts: &[&str]) -> Calls {
    let mut calls = Calls::new();
    for part in parts {
        let budget = said.pointer(part).unwrap_or_else(|| panic!("{part} is in {said:#}"));
        assert_eq!(budget.get("besides"), None, "everything is foreseen in {part}");
        for kind in ["reads", "writes"] {
            for (service, operations) in budget[kind].as_object().into_iter().flatten() {
                for (operation, count) in operations.as_object().into_iter().flatten() {
                    *calls.entry(format!("{service}.{operation}")).or_default() += count.as_i64().unwrap_or_default();
                }
            }
        }
    }
    calls
}

#[track_caller]
fn assert_same(mut asked: Calls, mut foreseen: Calls, what: &str) {
    asked.retain(|_, count| *count != 0);
    foreseen.retain(|_, count| *count != 0);
    let all: BTreeSet<_> = asked.keys().chain(foreseen.keys()).cloned().collect();
    let count = |calls: &Calls, call: &String| calls.get(call).copied().unwrap_or_default();
    let differ = all.iter().filter(|call| count(&asked, call) != count(&foreseen, call));
    let differ: Vec<String> = differ
        .map(|call| format!("{call}: foreseen {}, asked {}", count(&foreseen, call), count(&asked, call)))
        .collect();
    assert!(differ.is_empty(), "{what}:\n{}", differ.join("\n"));
}

/// The longest chain of calls of which each began when the one before had ended.
fn rounds(log: &[Line]) -> usize {
    let mut calls: Vec<_> = log.iter().map(|line| (line.to_ms, line.from_ms)).collect();
    calls.sort_unstable();
    let mut end = 0;
    calls
        .into_iter()
        .filter(|(to, from)| {
            *from >= end && {
                end = *to;
                true
            }
        })
        .count()
}
