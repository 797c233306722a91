//! How the program gets to AWS: over connections that all services share, and through the proxy that the environment names.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use fault_proxy::http::{self, Headers, Request, Response};
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
    asked: Asked,
}

/// `GET /orders` for each request, by its connection.
type Asked = Arc<Mutex<Vec<Vec<String>>>>;

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it has an address"));
        let server = Self { endpoint, asked: Asked::default() };
        let asked = Arc::clone(&server.asked);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                asked.lock().expect("nobody panics with it").push(Vec::new());
                let asked = Arc::clone(&asked);
                thread::spawn(move || serve(stream, &asked, number));
            }
        });
        server
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

/// Answers the requests of a connection until it ends.
fn serve(mut stream: TcpStream, asked: &Asked, number: usize) -> io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(request) = http::read_request(&mut requests)? {
        // Whoever has been answered may look at once.
        asked.lock().expect("nobody panics with it")[number].push(format!("{} {}", request.method, request.target));
        http::answer(&answer(&request), &mut stream)?;
    }
    Ok(())
}

fn answer(request: &Request) -> Response {
    let (status, body) = match request.headers.get("x-amz-target") {
        Some(_) => (200, "{}"),
        None if String::from_utf8_lossy(&request.body).contains("Action=GetCallerIdentity") => (200, WHO),
        None => (403, ""),
    };
    Response { status, headers: Headers::default(), body: body.as_bytes().to_vec() }
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
    assert!(matches!(asked.as_slice(), [all] if all.len() == 4), "{asked:?}");
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
    for request in ["POST http://aws.invalid/", "GET http://aws.invalid/apis/orders.yaml"] {
        assert!(asked.iter().any(|it| it == request), "{asked:?}");
    }
}
