//! Any text as a template, in both languages: read, resolved, checked against the facts, evaluated, and its findings drawn.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use paystack::diagnostic::{Source, Style, render};
use paystack::identity::StackId;
use paystack::template::{Inputs, Pseudo, draft};

fuzz_target!(|text: &str| {
    read("a.yaml", text);
    if text.trim_start().starts_with(['{', '[']) {
        read("a.json", text);
    }
});

fn read(path: &str, text: &str) {
    let source = Source::new(path, text);
    let findings = match draft(&source) {
        Err(findings) => findings,
        Ok(template) => {
            let pseudo = Pseudo {
                account_id: None,
                region: "us-east-1".into(),
                partition: "aws".into(),
                stack: StackId::from("fuzz"),
            };
            let (graph, mut findings) = template.draft(&Inputs { parameters: BTreeMap::new(), imports: BTreeMap::new(), pseudo });
            findings.extend(template.findings);
            findings.extend(paystack::graph::cycles(&graph));
            findings.extend(paystack::check::check(&graph, "2026-11-22", paystack::check::Retained::Refused));
            for resource in graph.resources.values() {
                // What it gives, and what is wrong with it, is for other tests to judge.
                let _ = graph.evaluate(&resource.properties, &|_, _| Some("value".into()));
            }
            findings
        }
    };
    for finding in &findings {
        assert!(finding.span.is_none_or(|span| text.get(span.start..span.end).is_some()), "{finding:?}");
    }
    render(&findings, &source, Style::Plain);
}
