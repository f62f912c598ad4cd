//! The model can fail: servers with a fault, each of which it must notice, and tell with a short sequence.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::in_process::InProcess;
use crate::names::{Account, Region};
use crate::rules::DAY;
use crate::run::{self, Failure};
use crate::subject::{Refused, Subject};

/// Sequences in which a fault must be noticed.
const SEQUENCES_MAX: u64 = 200;

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// RotateKeyOnDemand answers and does nothing.
    LosesRotations,
    /// A key works while it is disabled.
    UsesDisabledKeys,
    /// A key whose deletion was cancelled is enabled at once.
    EnablesCancelledKeys,
    /// What falls due is done a day late.
    IsLate,
    /// What falls due is never done.
    NeverDoesWhatIsDue,
    /// A tag of a multi-Region key is set on its related keys too.
    SharesTags,
    /// UpdateAlias answers and does nothing.
    LeavesAliases,
    /// Ciphertexts of former material are refused.
    ForgetsFormerMaterial,
    /// Whoever knows the ARN of a key may use it.
    TrustsEverybody,
    /// The newest tag is lost at a restart.
    ForgetsTagsAtRestart,
}

/// A server with a fault.
struct Mutant {
    inner: InProcess,
    fault: Fault,
    /// The last call of TagResource.
    tagged: Option<(Account, Region, Value)>,
}

impl Mutant {
    /// The key that an alias stands for.
    fn target_of(&mut self, by: Account, region: Region, alias: &Value) -> Option<Value> {
        let told = self.inner.call(by, region, "ListAliases", &json!({})).ok()?;
        let found =
            told["Aliases"].as_array()?.iter().find(|entry| entry["AliasName"] == *alias)?;
        Some(found["TargetKeyId"].clone())
    }

    /// The call itself, and what the fault makes of it.
    fn answer(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused> {
        let key_id = json!({ "KeyId": parameters["KeyId"] });
        let former = self.target_of(by, region, &parameters["AliasName"]);
        let told = self.inner.call(by, region, operation, parameters)?;
        match (self.fault, operation) {
            (Fault::EnablesCancelledKeys, "CancelKeyDeletion") => {
                self.inner.call(by, region, "EnableKey", &key_id).ok();
            }
            (Fault::LeavesAliases, "UpdateAlias") => {
                let back = json!({ "AliasName": parameters["AliasName"], "TargetKeyId": former });
                self.inner.call(by, region, operation, &back).ok();
            }
            (Fault::SharesTags, "TagResource") => {
                for region in Region::ALL {
                    self.inner.call(by, region, operation, parameters).ok();
                }
            }
            (Fault::ForgetsFormerMaterial, "Decrypt") => {
                let key_id = json!({ "KeyId": told["KeyId"] });
                let described = self.inner.call(by, region, "DescribeKey", &key_id)?;
                if described["KeyMetadata"]["CurrentKeyMaterialId"] != told["KeyMaterialId"] {
                    let code = "InvalidCiphertextException".to_owned();
                    return Err(Refused { code, message: String::new() });
                }
            }
            _ => {}
        }
        Ok(told)
    }
}

impl Subject for Mutant {
    const SETTLES_AFTER_EACH_CALL: bool = InProcess::SETTLES_AFTER_EACH_CALL;

    fn call(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused> {
        if operation == "TagResource" {
            self.tagged = Some((by, region, parameters.clone()));
        }
        let key_id = json!({ "KeyId": parameters["KeyId"] });
        if let (Fault::LosesRotations, "RotateKeyOnDemand") = (self.fault, operation) {
            let described = self.inner.call(by, region, "DescribeKey", &key_id)?;
            let metadata = &described["KeyMetadata"];
            if (&metadata["KeyState"], &metadata["Origin"])
                == (&"Enabled".into(), &"AWS_KMS".into())
            {
                return Ok(json!({ "KeyId": metadata["Arn"] }));
            }
        }
        match self.answer(by, region, operation, parameters) {
            Err(refused)
                if self.fault == Fault::UsesDisabledKeys
                    && refused.code == "DisabledException"
                    && operation == "Encrypt" =>
            {
                self.inner.call(by, region, "EnableKey", &key_id).ok();
                let told = self.inner.call(by, region, operation, parameters);
                self.inner.call(by, region, "DisableKey", &key_id).ok();
                told
            }
            Err(refused)
                if self.fault == Fault::TrustsEverybody
                    && refused.code == "AccessDeniedException" =>
            {
                let others = Account::ALL.into_iter().filter(|account| *account != by);
                let mut told = others.map(|by| self.inner.call(by, region, operation, parameters));
                told.find(Result::is_ok).unwrap_or(Err(refused))
            }
            told => told,
        }
    }

    fn advance(&mut self, seconds: i64) {
        if self.fault == Fault::NeverDoesWhatIsDue {
            self.inner.move_clock(seconds);
            return;
        }
        // Whoever is late does what was due a day ago.
        let late_seconds = if self.fault == Fault::IsLate { DAY } else { 0 };
        self.inner.move_clock(-late_seconds);
        self.inner.advance(seconds);
        self.inner.move_clock(late_seconds);
    }

    fn settle(&mut self) {
        self.inner.settle();
    }

    fn restart(&mut self) {
        self.inner.restart();
        if let (Fault::ForgetsTagsAtRestart, Some((by, region, sent))) = (self.fault, &self.tagged)
        {
            let tag_keys: Vec<&Value> =
                sent["Tags"].as_array().unwrap().iter().map(|tag| &tag["TagKey"]).collect();
            let untag = json!({ "KeyId": sent["KeyId"], "TagKeys": tag_keys });
            self.inner.call(*by, *region, "UntagResource", &untag).ok();
        }
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }
}

/// The first sequence that notices a fault, made short.
fn noticed(fault: Fault) -> Failure {
    let fresh = || Mutant { inner: InProcess::new(), fault, tagged: None };
    let failure = (0..SEQUENCES_MAX).find_map(|seed| run::run_one(seed, fresh).err());
    failure.unwrap_or_else(|| panic!("{fault:?}: nobody noticed"))
}

/// What a failure tells, step by step.
fn told(failure: &Failure) -> Vec<String> {
    failure.steps.iter().map(|step| format!("{step:?}")).collect()
}

#[test]
fn a_lost_rotation_is_told_in_two_calls() {
    let failure = noticed(Fault::LosesRotations);
    let steps = told(&failure);
    assert_eq!(steps.len(), 2, "{failure}");
    assert!(steps[0].contains("CreateKey KeySpec=SYMMETRIC_DEFAULT Origin=AWS_KMS"), "{failure}");
    assert!(steps[1].contains("RotateKeyOnDemand key-"), "{failure}");
    assert!(failure.difference.contains("CurrentKeyMaterialId"), "{failure}");
    let again = format!("PROPTEST_RNG_SEED={} PROPTEST_CASES=1", failure.seed);
    assert!(failure.to_string().contains(&again), "{failure}");
}

/// The most steps that tell a fault; most are told in two to four.
const STEPS_MAX: usize = 6;

const FAULTS: [Fault; 9] = [
    Fault::UsesDisabledKeys,
    Fault::EnablesCancelledKeys,
    Fault::IsLate,
    Fault::NeverDoesWhatIsDue,
    Fault::SharesTags,
    Fault::LeavesAliases,
    Fault::ForgetsFormerMaterial,
    Fault::TrustsEverybody,
    Fault::ForgetsTagsAtRestart,
];

#[test]
fn every_fault_is_noticed_and_told_in_few_steps() {
    for fault in FAULTS {
        let failure = noticed(fault);
        println!("{fault:?}{failure}");
        assert!(failure.steps.len() <= STEPS_MAX, "{fault:?}{failure}");
    }
}
