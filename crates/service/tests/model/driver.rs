//! Takes each step on the server too, and compares all that can be seen with the model.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answers::{Comparison, Difference, expiration_model};
use crate::ids::Ids;
use crate::names::{Account, KeyName, Region};
use crate::request::{self, named};
use crate::rules::{At, Model, Outcome, Refusal, RotationsListEntry};
use crate::step::{Call, KeySpec, Step};
use crate::subject::{Refused, Subject};

/// Items asked for in one page of a list, so few that sequences see more than one page.
const PAGE_ITEMS_MAX: u32 = 3;

/// A server and what it has told so far.
pub(crate) struct Driver<'a, S> {
    subject: &'a mut S,
    began: Timestamp,
    ids: Ids,
    /// Where lists have, or had, something to tell.
    in_use: BTreeSet<(Account, Region)>,
}

impl<S: Subject> Driver<'_, S> {
    pub(crate) fn new(subject: &mut S) -> Driver<'_, S> {
        let began = subject.now();
        Driver { subject, began, ids: Ids::default(), in_use: BTreeSet::new() }
    }

    /// Takes a step that the model has just taken.
    pub(crate) fn take(
        &mut self,
        model: &Model,
        step: &Step,
        foretold: &Outcome,
    ) -> Result<(), Difference> {
        match step {
            Step::Call(call) => {
                self.call(model, call, foretold)?;
                if S::SETTLES_AFTER_EACH_CALL {
                    self.subject.settle();
                }
                return self.check(model, |key| call.operation.key() == Some(key));
            }
            Step::Advance { seconds } => self.subject.advance(*seconds),
            Step::Restart => self.subject.restart(),
        }
        self.check(model, |_| true)
    }

    fn call(&mut self, model: &Model, call: &Call, foretold: &Outcome) -> Result<(), Difference> {
        let sent = request::parameters(&self.ids, model, call, self.subject.now());
        let told = self.subject.call(call.by, call.region, &call.operation.name(), &sent);
        if let Ok(value) = &told {
            self.ids.learn(call, &sent, value);
        }
        let asked = format!("{call:?}");
        if let Some((value, answer)) = agree(&asked, told, foretold.as_ref().map_err(|code| *code))?
        {
            self.comparison(&asked, &value).is_answer(&mut self.ids, model, answer)?;
        }
        Ok(())
    }

    fn comparison<'a>(&self, asked: &'a str, value: &'a Value) -> Comparison<'a> {
        Comparison { asked, value, began: self.began }
    }

    /// Asks as the owner of a key.
    fn ask(
        &mut self,
        model: &Model,
        at: At,
        operation: &str,
        parameters: &Value,
    ) -> Result<Value, Refused> {
        self.subject.call(model.key(at.key).account, at.region, operation, parameters)
    }

    /// All that keys, lists and ciphertexts can tell agrees with the model. Of keys that the step did not touch, DescribeKey
    /// tells enough; the end of each sequence looks at everything again.
    fn check(
        &mut self,
        model: &Model,
        is_touched: impl Fn(KeyName) -> bool,
    ) -> Result<(), Difference> {
        for at in model.everywhere() {
            self.check_metadata(model, at)?;
            if is_touched(at.key) {
                self.check_key(model, at)?;
            }
        }
        self.check_lists(model)?;
        self.check_products(model, is_touched)
    }

    fn check_metadata(&mut self, model: &Model, at: At) -> Result<(), Difference> {
        let asked = format!("DescribeKey {at:?}");
        let key_id = json!({ "KeyId": self.ids.keys[&at.key] });
        let described = self.ask(model, at, "DescribeKey", &key_id);
        let described = described.map_err(|refused| refusal(&asked, &refused))?;
        self.comparison(&asked, &described["KeyMetadata"])
            .is_metadata(&mut self.ids, &model.describe(at))
    }

    fn check_key(&mut self, model: &Model, at: At) -> Result<(), Difference> {
        let key_id = json!({ "KeyId": self.ids.keys[&at.key] });
        let asked = format!("ListResourceTags {at:?}");
        let told = self.ask(model, at, "ListResourceTags", &key_id);
        let told = told.map_err(|refused| refusal(&asked, &refused))?;
        let tags = model.place(at).tags.iter().map(|(tag, value)| request::tag(*tag, *value));
        self.comparison(&asked, &told).is("Tags", tags.collect::<Vec<_>>())?;

        self.check_rotation_status(model, at, &key_id)?;
        self.check_rotations(model, at)?;
        match model.key(at.key).key_spec {
            KeySpec::EccNistP256 => self.check_public_key(model, at, &key_id),
            KeySpec::SymmetricDefault | KeySpec::Hmac256 => Ok(()),
        }
    }

    fn check_rotation_status(
        &mut self,
        model: &Model,
        at: At,
        key_id: &Value,
    ) -> Result<(), Difference> {
        let asked = format!("GetKeyRotationStatus {at:?}");
        let told = self.ask(model, at, "GetKeyRotationStatus", key_id);
        let Some((value, status)) = agree(&asked, told, model.rotation_status(at))? else {
            return Ok(());
        };
        let told = self.comparison(&asked, &value);
        told.is("KeyRotationEnabled", status.is_some())?;
        told.is("RotationPeriodInDays", status.as_ref().map(|status| status.period_days))?;
        told.is_date("NextRotationDate", status.as_ref().map(|status| status.next))
    }

    fn check_rotations(&mut self, model: &Model, at: At) -> Result<(), Difference> {
        let asked = format!("ListKeyRotations {at:?}");
        let parameters = json!({
            "KeyId": self.ids.keys[&at.key],
            "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
        });
        let account = model.key(at.key).account;
        let told = self.pages(account, at.region, "ListKeyRotations", &parameters, "Rotations");
        let Some((told, foretold)) = agree(&asked, told, model.rotations(at))? else {
            return Ok(());
        };
        if told.len() != foretold.len() {
            let states: Vec<_> = foretold.iter().map(|entry| entry.state.as_str()).collect();
            return Err(format!("{asked}: {told:?}, the model says {states:?}"));
        }
        for (value, entry) in told.iter().zip(foretold) {
            self.check_rotation(&asked, at, value, &entry)?;
        }
        Ok(())
    }

    fn check_rotation(
        &mut self,
        asked: &str,
        at: At,
        value: &Value,
        entry: &RotationsListEntry,
    ) -> Result<(), Difference> {
        let told = self.comparison(asked, value);
        told.is_material(&mut self.ids, "KeyMaterialId", at.key, Some(entry.material))?;
        told.is("KeyMaterialState", entry.state.as_str())?;
        told.is("RotationType", entry.rotated.map(|(rotation_type, _)| rotation_type.as_str()))?;
        told.is_date("RotationDate", entry.rotated.map(|(_, rotated)| rotated))?;
        let import = entry.import;
        told.is(
            "ImportState",
            import.map(|(is_here, ..)| if is_here { "IMPORTED" } else { "PENDING_IMPORT" }),
        )?;
        told.is("ExpirationModel", import.map(|(_, valid_to, _)| expiration_model(valid_to)))?;
        told.is_date("ValidTo", import.and_then(|(_, valid_to, _)| valid_to))?;
        let description = import.and_then(|(.., description)| description);
        told.is("KeyMaterialDescription", description.map(|number| named("material", number)))
    }

    fn check_public_key(
        &mut self,
        model: &Model,
        at: At,
        key_id: &Value,
    ) -> Result<(), Difference> {
        let asked = format!("GetPublicKey {at:?}");
        let told = self.ask(model, at, "GetPublicKey", key_id);
        let Some((value, ())) = agree(&asked, told, model.tells_public_key(at))? else {
            return Ok(());
        };
        match self.ids.is_public_key(at.key, value["PublicKey"].as_str().unwrap_or_default()) {
            true => Ok(()),
            false => Err(format!("{asked}: it is another one than before")),
        }
    }

    /// The lists of each account in each Region where it has, or had, a key.
    fn check_lists(&mut self, model: &Model) -> Result<(), Difference> {
        self.in_use.extend(model.everywhere().map(|at| (model.key(at.key).account, at.region)));
        for (by, region) in self.in_use.clone() {
            let told = self.list(by, region, "ListKeys", "Keys", "KeyId")?;
            let keys = model.everywhere().filter(|at| at.region == region);
            let keys = keys.filter(|at| model.key(at.key).account == by);
            let foretold = keys.map(|at| self.ids.keys[&at.key].clone()).collect();
            same_set(&format!("{by} {region}: ListKeys"), &told, &foretold)?;

            let told = self.list(by, region, "ListAliases", "Aliases", "AliasName")?;
            let aliases = model.aliases.iter();
            let aliases = aliases.filter(|((owner, at, _), _)| (*owner, *at) == (by, region));
            let foretold =
                aliases.map(|((.., alias), key)| format!("{alias} {}", self.ids.keys[key]));
            // AWS's own aliases stand for no key before it is used.
            let told = told.into_iter().filter(|entry| entry.contains(' ')).collect();
            same_set(&format!("{by} {region}: ListAliases"), &told, &foretold.collect())?;
        }
        Ok(())
    }

    fn list(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        items: &str,
        name: &str,
    ) -> Result<BTreeSet<String>, Difference> {
        let told = self.pages(by, region, operation, &json!({}), items);
        let told = told.map_err(|refused| refusal(operation, &refused))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(told
            .iter()
            .map(|item| match text(&item["TargetKeyId"]) {
                Some(target) => format!("{} {target}", text(&item[name]).unwrap_or_default()),
                None => text(&item[name]).unwrap_or_default(),
            })
            .collect())
    }

    /// All pages of a list.
    fn pages(
        &mut self,
        by: Account,
        region: Region,
        operation: &str,
        parameters: &Value,
        items: &str,
    ) -> Result<Vec<Value>, Refused> {
        let mut all = Vec::new();
        let mut parameters = parameters.clone();
        parameters["Limit"] = PAGE_ITEMS_MAX.into();
        loop {
            let page = self.subject.call(by, region, operation, &parameters)?;
            all.extend(page[items].as_array().cloned().unwrap_or_default());
            if page["Truncated"] != true {
                return Ok(all);
            }
            parameters["Marker"] = page["NextMarker"].clone();
        }
    }

    /// Whatever was made opens to what it was made of, wherever its key is, for as long as the key may be used; and nowhere
    /// else.
    fn check_products(
        &mut self,
        model: &Model,
        is_touched: impl Fn(KeyName) -> bool,
    ) -> Result<(), Difference> {
        for (product, made) in model.products.iter().filter(|(_, made)| is_touched(made.at.key)) {
            let key = model.key(made.at.key);
            let mut regions: BTreeSet<Region> = key.places.keys().copied().collect();
            regions.insert(made.at.region);
            for region in regions {
                let bytes = &self.ids.products[product];
                let (operation, parameters) = request::check(bytes, &self.ids.keys[&made.at.key]);
                let plaintext = bytes.plaintext.clone();
                let asked = format!("{operation} {product} in {region}");
                let told = self.subject.call(key.account, region, operation, &parameters);
                let foretold = model.opens(key.account, region, *product);
                let Some((value, (_, material))) = agree(&asked, told, foretold)? else {
                    continue;
                };
                let told = self.comparison(&asked, &value);
                match key.key_spec {
                    KeySpec::SymmetricDefault => {
                        told.is("Plaintext", plaintext)?;
                        let key = made.at.key;
                        told.is_material(&mut self.ids, "KeyMaterialId", key, Some(material))?;
                    }
                    KeySpec::Hmac256 => told.is("MacValid", true)?,
                    KeySpec::EccNistP256 => told.is("SignatureValid", true)?,
                }
            }
        }
        Ok(())
    }
}

/// Both succeed, or both refuse with the same error.
fn agree<T, U>(
    asked: &str,
    told: Result<T, Refused>,
    foretold: Result<U, Refusal>,
) -> Result<Option<(T, U)>, Difference> {
    match (told, foretold) {
        (Ok(value), Ok(answer)) => Ok(Some((value, answer))),
        (Err(refused), Err(code)) if refused.code == code => Ok(None),
        (Ok(_), Err(code)) => Err(format!("{asked}: went on, the model says {code}")),
        (Err(refused), Ok(_)) => {
            Err(format!("{}, the model says it goes on", refusal(asked, &refused)))
        }
        (Err(refused), Err(code)) => {
            Err(format!("{}, the model says {code}", refusal(asked, &refused)))
        }
    }
}

fn refusal(asked: &str, refused: &Refused) -> Difference {
    format!("{asked}: refused with {}: {}", refused.code, refused.message)
}

fn same_set(
    asked: &str,
    told: &BTreeSet<String>,
    foretold: &BTreeSet<String>,
) -> Result<(), Difference> {
    match told == foretold {
        true => Ok(()),
        false => Err(format!("{asked}: {told:?}, the model says {foretold:?}")),
    }
}
