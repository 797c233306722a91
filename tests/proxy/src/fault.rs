//! What goes wrong with which call, whatever the service: the network, throttles, failures, and the death of the caller.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use crate::call::Call;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub when: When,
    pub what: What,
}

/// Which calls it befalls.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// The k-th of all calls, from 1.
    Call(usize),
    /// The k-th call of one operation, `sqs.CreateQueue`.
    CallOf(String, usize),
    /// Every call of one operation.
    EachOf(String),
    /// The first call of every operation.
    FirstOfEach,
    /// Every call, with this probability from 0 to 1.
    Chance(f64),
}

/// What befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The connection breaks before the service has seen the call.
    Drop,
    /// The service does what it was asked, and the connection breaks before the answer.
    Lose,
    /// The service does what it was asked, and the connection breaks within the answer.
    CutShort,
    /// The service refuses the call as one too many.
    Throttle,
    /// The service answers 500 or 503, having done nothing.
    Fail(u16),
    /// The service does what it was asked, and answers 500 or 503.
    FailAfter(u16),
    /// The call takes longer.
    Delay(Duration),
    /// The caller dies before the service has seen the call.
    KillBefore,
    /// The caller dies after the service has done what it was asked, and before the answer.
    KillAfter,
}

/// Decides what befalls each call. The same seed and the same order of calls give the same faults.
#[derive(Debug)]
pub struct Faults {
    faults: Vec<Fault>,
    random: fastrand::Rng,
    counts: std::collections::BTreeMap<String, usize>,
}

impl Faults {
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self { faults, random: fastrand::Rng::with_seed(seed), counts: Default::default() }
    }

    /// What befalls this call: all that is meant for it, in the order of the script.
    pub fn of(&mut self, call: &Call) -> Vec<What> {
        let name = call.name();
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        let random = &mut self.random;
        let is_meant = |fault: &&Fault| match &fault.when {
            When::Call(number) => *number == call.number,
            When::CallOf(operation, number) => *operation == name && *number == *count,
            When::EachOf(operation) => *operation == name,
            When::FirstOfEach => *count == 1,
            When::Chance(chance) => random.f64() < *chance,
        };
        self.faults.iter().filter(is_meant).map(|fault| fault.what).collect()
    }

    /// The operations that were called.
    pub fn operations(&self) -> BTreeSet<&str> {
        self.counts.keys().map(String::as_str).collect()
    }
}

/// `17:lose`, `sqs.CreateQueue:throttle`, `sqs.CreateQueue#2:drop`, `first:lose`, `20%:throttle`.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (when, what) = text.rsplit_once(':').ok_or_else(|| format!("`{text}` is not WHEN:WHAT"))?;
        Ok(Self { when: when.parse()?, what: what.parse()? })
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "first" {
            return Ok(Self::FirstOfEach);
        }
        if let Some(percent) = text.strip_suffix('%').and_then(|it| it.parse::<f64>().ok()) {
            return Ok(Self::Chance(percent / 100.0));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Call(number));
        }
        match text.split_once('#') {
            Some((operation, number)) => match number.parse() {
                Ok(number) if operation.contains('.') => Ok(Self::CallOf(operation.to_owned(), number)),
                _ => Err(format!("`{text}` is not SERVICE.OPERATION#NUMBER")),
            },
            None if text.contains('.') => Ok(Self::EachOf(text.to_owned())),
            None => {
                Err(format!("`{text}` is no call: a number, `20%`, `first`, or `sqs.CreateQueue`, maybe with `#2`"))
            }
        }
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, argument) = text.split_once('=').unwrap_or((text, ""));
        let status = || match argument {
            "" => Ok(500),
            "500" => Ok(500),
            "503" => Ok(503),
            other => Err(format!("`{other}` is neither 500 nor 503")),
        };
        Ok(match word {
            "drop" => Self::Drop,
            "lose" => Self::Lose,
            "cut" => Self::CutShort,
            "throttle" => Self::Throttle,
            "fail" => Self::Fail(status()?),
            "fail-after" => Self::FailAfter(status()?),
            "delay" => {
                let milliseconds =
                    argument.parse().map_err(|_| format!("`{argument}` is no number of milliseconds"))?;
                Self::Delay(Duration::from_millis(milliseconds))
            }
            "kill-before" => Self::KillBefore,
            "kill-after" => Self::KillAfter,
            other => {
                return Err(format!(
                    "`{other}` is no fault: drop, lose, cut, throttle, fail, fail-after, delay=MS, kill-before, kill-after"
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_when_and_what() {
        let fault = |text: &str| text.parse::<Fault>().expect("a fault");
        assert_eq!(fault("17:lose"), Fault { when: When::Call(17), what: What::Lose });
        assert_eq!(fault("5%:fail=503"), Fault { when: When::Chance(0.05), what: What::Fail(503) });
        let second = When::CallOf("sqs.CreateQueue".to_owned(), 2);
        assert_eq!(fault("sqs.CreateQueue#2:delay=50").when, second);
        assert_eq!(fault("sqs.CreateQueue#2:delay=50").what, What::Delay(Duration::from_millis(50)));
        assert_eq!(fault("first:kill-after"), Fault { when: When::FirstOfEach, what: What::KillAfter });
        for wrong in ["lose", "soon:lose", "1:explode", "1:fail=404", "1:delay", "a.b#x:lose"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }
}
