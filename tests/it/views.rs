//! The forms of a plan, as a user gets them: what is lost and what changes in each, JSON by its schema, HTML in a browser.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};

use crate::harness::{Account, Paystack, Ran};

const PROJECT: &str = r#"
[project]
name = "shop"
template = "template.yaml"

[environments.dev]
"#;

const TEMPLATE: &str = r"
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}
  Bills:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news, DisplayName: News}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Charge:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: code
      Environment: {Variables: {ORDERS: !Ref Orders, BILLS: !Ref Bills}}
";

/// What a schema finds wrong with the documents on standard input, one line each.
const VALIDATE: &str = "
import json, sys, jsonschema
schema, documents = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(schema)
for document in documents:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        print(error.json_path, error.message[:300])
";

struct Shop {
    paystack: Paystack,
    account: Account,
}

impl Shop {
    fn open() -> Self {
        let paystack = Paystack::in_empty_directory();
        paystack.write("paystack.toml", PROJECT).write("template.yaml", TEMPLATE);
        paystack
            .write("code/index.py", "def handler(event, context):\n    return 1\n")
            .write("code/old.py", "OLD = 1\n");
        Self { paystack, account: Account::fresh() }
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        // A cache of its own: what other tests have uploaded is none of this one's knowledge.
        let mut command = self.paystack.command(&self.account, arguments);
        command.env("XDG_CACHE_HOME", self.cache());
        self.paystack.run_command(command)
    }

    fn cache(&self) -> PathBuf {
        self.paystack.path().join("cache")
    }

    /// A queue with messages under a new name, a table with items gone, a subscription of somebody's, other code.
    fn in_need_of_a_loud_plan() -> Self {
        let shop = Self::open();
        shop.run(&["apply", "--auto-approve"]).exits(0);
        let account = &shop.account;
        let url = account.aws("sqs", "get_queue_url", json!({"QueueName": "orders"}))["QueueUrl"].clone();
        for body in ["one", "two"] {
            account.aws("sqs", "send_message", json!({"QueueUrl": url, "MessageBody": body}));
        }
        let tables = account.aws("dynamodb", "list_tables", json!({}));
        account.aws("dynamodb", "put_item", json!({"TableName": tables["TableNames"][0], "Item": {"id": {"S": "1"}}}));
        let topic = account.aws("sns", "create_topic", json!({"Name": "news"}))["TopicArn"].clone();
        let subscription = json!({"TopicArn": topic, "Protocol": "email", "Endpoint": "somebody@example.com"});
        account.aws("sns", "subscribe", subscription);
        shop.paystack.replace("template.yaml", "QueueName: orders", "QueueName: orders-v2");
        shop.paystack.replace("template.yaml", "TopicName: news", "TopicName: news-v2");
        let table = TEMPLATE.find("  Bills:").zip(TEMPLATE.find("  News:")).expect("both are there");
        shop.paystack.replace("template.yaml", &TEMPLATE[table.0..table.1], "");
        shop.paystack.replace("template.yaml", ", BILLS: !Ref Bills", "");
        shop.paystack
            .replace("code/index.py", "return 1", "return 2")
            .remove("code/old.py")
            .write("code/new.py", "N = 1\n");
        shop
    }
}

#[test]
fn what_is_lost_and_which_files_change_is_said_in_every_form() {
    let shop = Shop::in_need_of_a_loud_plan();
    let text = shop.run(&["plan", "--out", "plan.json"]).exits(0).stdout;
    for said in [
        "! lost for good, if this is applied",
        "about 2 messages",
        "1 subscription that others made (1 email)",
        "+/- replace (create first)",
        "`Charge` follows",
        "(template, follows `Orders`)",
        "+ new.py  6 bytes",
        "- old.py  8 bytes",
        "-    return 1",
        "+    return 2",
    ] {
        assert!(text.contains(said), "no `{said}` in {text}");
    }
    assert!(text.contains("Bills") && text.contains("item"), "{text}");
    assert!(!text.contains("somebody@example.com"), "{text}");
    let said = |format: &str| shop.run(&["plan", "--format", format]).exits(0).stdout;
    let markdown = said("markdown");
    assert!(markdown.contains("> [!CAUTION]") && markdown.contains("about 2 messages"), "{markdown}");
    assert!(markdown.contains("-    return 1"), "{markdown}");
    let html = said("html");
    assert!(html.contains("Lost for good") && html.contains("about 2 messages"), "{html}");
    let plan: Value = serde_json::from_str(&said("json")).expect("JSON");
    let step = |id: &str| {
        let steps = plan["steps"].as_array().expect("a plan has steps");
        steps.iter().find(|step| step["logical_id"] == id).cloned().expect("the step is there")
    };
    assert_eq!(step("Orders")["losses"][0]["visible"], 2);
    assert_eq!(step("News")["losses"], json!([{"kind": "subscriptions", "by_protocol": {"email": 1}}]));
    assert_eq!(step("Charge")["code"]["files"].as_array().map(Vec::len), Some(3));
    // A kept plan says the same, without asking AWS: what that took and takes is no part of it.
    let shown = |format: &str| {
        let command = shop.paystack.command_nowhere(&["show", "plan.json", "--format", format]);
        shop.paystack.run_command(command).exits(0).stdout
    };
    assert_eq!(shown("text"), text);
    assert_eq!(shown("markdown"), markdown);
    assert_eq!(shown("html"), html);
    let (mut kept, mut asked): (Value, Value) = (serde_json::from_str(&shown("json")).expect("JSON"), plan);
    for name in ["calls", "foreseen"] {
        asked.as_object_mut().expect("a plan is an object").remove(name);
        kept.as_object_mut().expect("a plan is an object").remove(name);
    }
    assert_eq!(kept, asked);
    // Without what was uploaded, the files are not known; that is said.
    fs::remove_dir_all(shop.cache().join("paystack/packages")).expect("it is there");
    let text = shop.run(&["plan"]).exits(0).stdout;
    assert!(text.contains("was not uploaded from here: its files are not known"), "{text}");
}

#[test]
fn every_plan_in_json_is_as_the_schema_says() {
    let shop = Shop::open();
    let mut plans = vec![shop.run(&["plan", "--format", "json"]).exits(0).json()];
    plans.push(shop.run(&["plan", "--target", "Orders", "--format", "json"]).exits(0).json());
    let shop = Shop::in_need_of_a_loud_plan();
    shop.run(&["plan", "--out", "plan.json"]).exits(0);
    plans.push(shop.run(&["show", "plan.json", "--format", "json"]).exits(0).json());
    plans.push(shop.run(&["plan", "--replace", "Role", "--format", "json"]).exits(0).json());
    plans.push(shop.run(&["plan", "--destroy", "--format", "json"]).exits(0).json());
    plans.push(shop.paystack.run(&Account::fresh(), &["plan", "--format", "json"]).exits(0).json());
    assert_eq!(plans.last().expect("it is there")["remarks"]["elsewhere"]["account_id"], shop.account.number);
    shop.account.aws("sqs", "create_queue", json!({"QueueName": "orders-v3"}));
    shop.paystack.replace("template.yaml", "orders-v2", "orders-v3");
    shop.paystack.remove("state");
    plans.push(shop.run(&["plan", "--format", "json"]).json());
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/schema/plan-v1.json")).expect("the schema is JSON");
    assert_eq!(findings(&shop.account, &schema, &plans), "");
    // The schema is no sieve.
    let mut wrong = plans[0].clone();
    wrong["steps"][0]["action"]["why"] = json!("for fun");
    assert!(findings(&shop.account, &schema, &[wrong]).contains("$.steps[0].action"));
}

fn findings(account: &Account, schema: &Value, documents: &[Value]) -> String {
    account.run_python(VALIDATE, &[], &json!([schema, documents]), &[])
}

#[test]
fn a_page_works_in_a_browser_and_nothing_of_a_template_runs_in_it() {
    let Some(browser) = browser() else { return };
    let shop = Shop::open();
    let evil = "</pre><script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">";
    shop.paystack.replace(
        "template.yaml",
        "DisplayName: News",
        &format!("DisplayName: '{}'", evil.replace('\'', "''")),
    );
    let page = shop.run(&["plan", "--format", "html"]).exits(0).stdout;
    shop.paystack.write("plan.html", &page);
    let page = shop.paystack.path().join("plan.html");
    let all = dom(&browser, &page, "");
    assert!(all.contains("<title>Plan of shop-dev</title>"), "{all}");
    assert!(!all.contains("step create hidden"), "without a filter all is shown");
    // The page's own script does run: it hides what a filter does not let through.
    let filtered = dom(&browser, &page, "#orders%20queue");
    let is_hidden = |id: &str| {
        let at = filtered.find(&format!("<b>{id}</b>")).expect("the step is there");
        let start = filtered[..at].rfind("<details").expect("a step is folded");
        filtered[start..at].contains("hidden")
    };
    assert!(!is_hidden("Orders") && is_hidden("News"), "{filtered}");
}

/// The page as it is after its scripts have run.
fn dom(browser: &Path, page: &Path, fragment: &str) -> String {
    let profile = tempfile::tempdir().expect("there is room for a directory");
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("file://{}{fragment}", page.display()));
    let output = command.output().expect("the browser runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A browser of the Chromium family. `PAYSTACK_TEST_BROWSER` names one, and says that there has to be one.
fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("PAYSTACK_TEST_BROWSER") {
        return Some(found(&named).unwrap_or_else(|| panic!("there is no browser {}", named.display())));
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let browser = names.iter().find_map(|name| found(OsStr::new(name)));
    if browser.is_none() {
        eprintln!("SKIPPED: no browser of {names:?} is on the path; install one, or name it in PAYSTACK_TEST_BROWSER");
    }
    browser
}

fn found(name: &OsStr) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
