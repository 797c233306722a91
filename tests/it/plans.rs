//! What a plan can be asked for beside being shown: kept in a file, for some resources only, drift alone, as Markdown.

use serde_json::{Value, json};

use crate::harness::{Account, Paystack, Ran};

const PROJECT: &str = r#"
[project]
name = "orders"
template = "template.yaml"

[environments.dev]
"#;

const QUEUES: &str = r"
Parameters:
  Delay: {Type: Number, Default: 1}
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Delay}}
  Refunds: {Type: AWS::SQS::Queue}
Outputs:
  OrdersUrl: {Value: !Ref Orders}
  RefundsUrl: {Value: !Ref Refunds}
";

const SECRET: &str = r"
Parameters:
  Secret: {Type: String, NoEcho: true}
Resources:
  News: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Secret}}
Outputs:
  Plain: {Value: !GetAtt News.TopicName}
  Hidden: {Value: !Sub 'it is ${Secret}'}
";

struct Story {
    paystack: Paystack,
    account: Account,
}

impl Story {
    fn begin(template: &str) -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.write("paystack.toml", PROJECT).write("template.yaml", template);
        Self { paystack, account: Account::fresh() }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        self.paystack.run(&self.account, arguments)
    }

    fn queues(&self) -> usize {
        self.account.census().of("queues").as_object().map_or(0, serde_json::Map::len)
    }

    /// Changes a queue behind paystack's back.
    fn hide_messages_for(&self, output: &str, seconds: &str) {
        let url = self.run(&["output", output]).exits(0).stdout.trim().to_owned();
        let arguments = json!({"QueueUrl": url, "Attributes": {"VisibilityTimeout": seconds}});
        self.account.aws("sqs", "set_queue_attributes", arguments);
    }
}

#[test]
fn a_kept_plan_is_applied_without_asking_and_only_while_it_holds() {
    let story = Story::begin(QUEUES);
    story.run(&["plan", "-p", "Delay=5", "--out", "plan.json"]).exits(0);
    let ran = story.run(&["apply", "plan.json"]).exits(0);
    for said in ["+ create", "+ Orders   Queue", "Plan: 2 to create", "apply is complete"] {
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
    }
    story.run(&["plan", "-p", "Delay=5", "--detailed-exitcode"]).exits(0);
    // It is done.
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("the plan is stale: `Orders` needs no change any more"), "{}", ran.stderr);
    // Somebody was faster.
    story.run(&["plan", "-p", "Delay=7", "--out", "plan.json"]).exits(0);
    story.hide_messages_for("OrdersUrl", "77");
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("`Orders` was changed in AWS since the plan was made"), "{}", ran.stderr);
    // What the plan does not touch is none of its business.
    story.run(&["plan", "-p", "Delay=7", "--out", "plan.json"]).exits(0);
    story.paystack.replace("template.yaml", "Outputs:", "  # More to come.\nOutputs:");
    story.run(&["apply", "plan.json"]).exits(0);
    // The template is another.
    story.run(&["plan", "-p", "Delay=8", "--out", "plan.json"]).exits(0);
    story.paystack.replace("template.yaml", "{DelaySeconds:", "{VisibilityTimeout: 9, DelaySeconds:");
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("`Orders` is wanted in another way"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the template was changed"), "{}", ran.stderr);
    // A destruction is kept like any other plan.
    story.run(&["plan", "--destroy", "--out", "plan.json"]).exits(0);
    let ran = story.run(&["apply", "plan.json"]).exits(0);
    assert!(ran.stdout.contains("Nothing of the stack `orders-dev` is left."), "{}", ran.stdout);
    story.account.census().assert_empty();
}

#[test]
fn a_kept_plan_is_for_one_stack_in_one_account_and_for_one_paystack() {
    let story = Story::begin(QUEUES);
    story.run(&["plan", "--out", "plan.json"]).exits(0);
    let ran = story.paystack.run(&Account::fresh(), &["apply", "plan.json"]).exits(1);
    assert!(
        ran.stderr.contains(&format!("the plan is for the stack `orders-dev` in account {}", story.account.number))
    );
    story.paystack.replace("plan.json", "\"version\": 1", "\"version\": 9");
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("another layout (version 9"), "{}", ran.stderr);
    story.paystack.write("plan.json", "{}");
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("no plan that `paystack plan --out` has written"), "{}", ran.stderr);
    story.account.census().assert_empty();
}

#[test]
fn a_secret_is_in_no_plan_and_has_to_be_given_again() {
    let story = Story::begin(SECRET);
    let secret = ["-p", "Secret=hunter2hunter2"];
    let said = story.run(&["plan", "--full", "--out", "plan.json", secret[0], secret[1]]).exits(0).stdout;
    let shown = |format| story.run(&["show", "plan.json", "--full", "--format", format]).exits(0).stdout;
    let forms = ["text", "json", "markdown", "html"].map(shown);
    for text in forms.into_iter().chain([said, story.paystack.read("plan.json")]) {
        assert!(text.contains("(sensitive)") && !text.contains("hunter2"), "{text}");
    }
    let ran = story.run(&["apply", "plan.json"]).exits(1);
    assert!(ran.stderr.contains("the parameter `Secret` has no value"), "{}", ran.stderr);
    let ran = story.run(&["apply", "plan.json", "-p", "Secret=swordfish"]).exits(1);
    assert!(ran.stderr.contains("`Secret` has not the value that the plan was made with"), "{}", ran.stderr);
    let ran = story.run(&["apply", "plan.json", secret[0], secret[1]]).exits(0);
    assert!(ran.stdout.contains("Hidden = (sensitive)"), "{}", ran.stdout);
    let outputs = |arguments: &[&str]| {
        let arguments: Vec<&str> =
            ["output", "--format", "json"].iter().chain(&secret).chain(arguments).copied().collect();
        story.run(&arguments).exits(0).json()
    };
    assert_eq!(outputs(&[])["Hidden"], "(sensitive)");
    assert_ne!(outputs(&[])["Plain"], "(sensitive)");
    assert_eq!(outputs(&["--reveal"])["Hidden"], "it is hunter2hunter2");
}

#[test]
fn a_target_is_applied_and_the_rest_stays_as_it_is() {
    let story = Story::begin(QUEUES);
    let ran = story.run(&["apply", "--auto-approve", "--target", "Orders"]).exits(0);
    assert!(ran.stdout.contains("Left out, as not targeted: 1 resource."), "{}", ran.stdout);
    assert!(ran.stdout.contains("OrdersUrl") && !ran.stdout.contains("RefundsUrl"), "{}", ran.stdout);
    assert_eq!(story.queues(), 1);
    let ran = story.run(&["plan", "--target", "Order"]).exits(1);
    assert!(ran.stderr.contains("did you mean `Orders`?"), "{}", ran.stderr);
    // What has left the template can be named too.
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.paystack.write("template.yaml", "Resources: {Kept: {Type: AWS::SQS::Queue}}");
    let plan = story.run(&["plan", "--target", "Refunds", "--format", "json"]).exits(0).json();
    assert_eq!(plan["left_out"], json!(["Kept", "Orders"]));
    story.run(&["apply", "--auto-approve", "--target", "Refunds"]).exits(0);
    assert_eq!(story.queues(), 1);
}

#[test]
fn drift_can_be_looked_at_and_accepted() {
    let story = Story::begin(QUEUES);
    let ran = story.run(&["plan", "--refresh-only"]).exits(1);
    assert!(ran.stderr.contains("nothing is remembered"), "{}", ran.stderr);
    story.run(&["apply", "--auto-approve"]).exits(0);
    story.run(&["plan", "--refresh-only", "--detailed-exitcode"]).exits(0);
    story.hide_messages_for("RefundsUrl", "77");
    let drift = story.run(&["plan", "--refresh-only", "-p", "Delay=9", "--format", "json"]).exits(0).json();
    assert_eq!(drift["resources"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        drift["resources"][0]["what"]["changes"],
        json!([{"path": "VisibilityTimeout", "applied": 30, "live": 77}])
    );
    story.run(&["plan", "--refresh-only", "--detailed-exitcode"]).exits(2);
    story.run(&["apply", "--refresh-only", "--auto-approve"]).exits(0);
    story.run(&["plan", "--refresh-only", "--detailed-exitcode"]).exits(0);
    let plan = story.run(&["plan", "--format", "json"]).exits(0).json();
    let steps = plan["steps"].as_array().expect("a plan has steps");
    let changes: Vec<&Value> = steps.iter().filter_map(|step| step.pointer("/action/changes")).collect();
    assert_eq!(changes, [&json!([{"path": "VisibilityTimeout", "live": 77, "desired": 30, "cause": "template"}])]);
}
