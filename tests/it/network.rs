//! How the program gets to AWS: over connections that all services share, and through the proxy that the environment names.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use paystack::aws::clock::SystemClock;
use paystack::aws::{Context, LocalAccount, Packages, Target, connect};

use crate::harness::Paystack;

const TEMPLATE: &str = "
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: { BodyS3Location: { Bucket: apis, Key: orders.yaml } }
";

const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

/// A server that knows who is asking, has nothing where JSON is asked for, and denies all else.
struct Server {
    endpoint: String,
    /// The first line of each request, by its connection.
    asked: Arc<Mutex<Vec<Vec<String>>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self { endpoint, asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let asked = Arc::clone(&asked);
                asked.lock().expect("nobody panics with it").push(Vec::new());
                thread::spawn(move || {
                    let mut requests = BufReader::new(&stream);
                    while let Some(request) = answered(&mut requests, &stream) {
                        asked.lock().expect("nobody panics with it")[number].push(request);
                    }
                });
            }
        });
        server
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

/// Reads a request and answers it; gives its first line, or `None` where the connection ends.
fn answered(requests: &mut impl BufRead, mut answers: &TcpStream) -> Option<String> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        requests.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let value = |name: &str| {
        let (_, value) =
            head.iter().filter_map(|line| line.split_once(": ")).find(|(it, _)| it.eq_ignore_ascii_case(name))?;
        Some(value)
    };
    let mut body = vec![0; value("content-length").map_or(0, |length| length.parse().expect("it is a number"))];
    requests.read_exact(&mut body).ok()?;
    let (status, said) = match value("x-amz-target") {
        Some(_) => ("200 OK", "{}"),
        None if String::from_utf8_lossy(&body).contains("Action=GetCallerIdentity") => ("200 OK", WHO),
        None => ("403 Forbidden", ""),
    };
    write!(answers, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{said}", said.len()).ok()?;
    head.into_iter().next()
}

#[tokio::test]
async fn services_share_their_connections() {
    let server = Server::start();
    let local = Some(LocalAccount { endpoint: server.endpoint.clone(), account_id: "123456789012".to_owned() });
    let target = Target { region: Some("us-east-1".to_owned()), local, ..Target::default() };
    let connection = connect(target).await.expect("it knows who is asking");
    let cx = Context::new(&connection, Packages::new(), Arc::new(SystemClock::start()));
    cx.sqs.list_queues().send().await.expect("there are none");
    cx.logs.describe_log_groups().send().await.expect("there are none");
    cx.dynamodb.list_tables().send().await.expect("there are none");
    let asked = server.asked();
    assert!(matches!(asked.as_slice(), [all] if all.len() >= 3), "{asked:?}");
}

#[test]
fn whatever_is_asked_goes_through_the_proxy() {
    let server = Server::start();
    let paystack = Paystack::in_empty_directory();
    paystack.write("template.yaml", TEMPLATE);
    let mut command = paystack.command_nowhere(&["plan", "--template", "template.yaml", "--stack", "orders"]);
    command.envs([
        ("AWS_ENDPOINT_URL", "http://aws.invalid"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "123456789012"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("HTTP_PROXY", &server.endpoint),
        ("http_proxy", &server.endpoint),
    ]);
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let said = paystack.run_command(command).exits(1).stderr;
    assert!(said.contains("s3://apis/orders.yaml"), "{said}");
    let asked = server.asked().concat();
    let is_asked = |what: &str| asked.iter().any(|request| request.starts_with(what));
    assert!(is_asked("POST http://aws.invalid/ "), "{asked:?}");
    assert!(is_asked("GET http://aws.invalid/apis/orders.yaml"), "{asked:?}");
}
