//! Encrypt, GenerateDataKey, GenerateMac, Sign, Decrypt, ReEncrypt; and for how long what they made is good.

use super::{ACCESS_DENIED, Answer, At, INCORRECT_KEY, INVALID_KEY_USAGE, Made, Model, Outcome};
use super::{NOT_FOUND, Refusal};
use crate::names::{Account, KeyName, Material, Product, Region};
use crate::step::{Call, KeyId, KeySpec, MakeVerb};

impl Model {
    pub(super) fn make(
        &mut self,
        call: &Call,
        verb: MakeVerb,
        key: KeyId,
        product: Product,
    ) -> Outcome {
        let at = match key {
            KeyId::Key(key) => self.find(call, key)?,
            KeyId::Alias(alias) => self.find_by_alias(call, alias)?,
        };
        let usable_with = match verb {
            MakeVerb::Encrypt | MakeVerb::GenerateDataKey => KeySpec::SymmetricDefault,
            MakeVerb::GenerateMac => KeySpec::Hmac256,
            MakeVerb::Sign => KeySpec::EccNistP256,
        };
        if self.key(at.key).key_spec != usable_with {
            return Err(INVALID_KEY_USAGE);
        }
        self.place(at).key_state.check(&call.operation.name())?;
        let material = self.make_with_current(at, product);
        Ok(Answer::Made { at, material })
    }

    /// The ciphertext says which key and which material made it. A key that is named beside it must be that one.
    pub(super) fn decrypt(
        &mut self,
        call: &Call,
        product: Product,
        key: Option<KeyName>,
    ) -> Outcome {
        let made = self.products[&product];
        if let Some(key) = key {
            let at = self.find(call, key)?;
            // No ciphertext can be of a key that does not encrypt.
            if self.key(key).key_spec != KeySpec::SymmetricDefault {
                return Err(INCORRECT_KEY);
            }
            self.place(at).key_state.check("Decrypt")?;
            if key != made.at.key {
                return Err(INCORRECT_KEY);
            }
        }
        let (at, material) = self.opens(call.by, call.region, product)?;
        Ok(Answer::Decrypted { at, material })
    }

    /// Decrypts with one key and encrypts with another.
    pub(super) fn re_encrypt(
        &mut self,
        call: &Call,
        product: Product,
        key: KeyName,
        made: Product,
    ) -> Outcome {
        let source = self.products[&product].at.key;
        if self.key(source).account != call.by || !self.is_in(source, call.region) {
            return Err(ACCESS_DENIED);
        }
        let to = self.find(call, key)?;
        let from = At { key: source, region: call.region };
        self.place(from).key_state.check("ReEncrypt")?;
        if self.key(key).key_spec != KeySpec::SymmetricDefault {
            return Err(INVALID_KEY_USAGE);
        }
        self.place(to).key_state.check("ReEncrypt")?;
        let source = self.products[&product].material;
        let destination = self.make_with_current(to, made);
        Ok(Answer::ReEncrypted { from, source, to, destination })
    }

    /// Whether an account can decrypt or verify a product in a Region, and with which material.
    ///
    /// Every product is good in every Region that has its key, whenever it was made, for as long as the key lives and may be
    /// used there. A ciphertext names its key itself: one that is not there is answered as one that the caller may not know of.
    pub(crate) fn opens(
        &self,
        by: Account,
        region: Region,
        product: Product,
    ) -> Result<(At, Material), Refusal> {
        let made = self.products[&product];
        let at = At { region, ..made.at };
        let key = self.key(at.key);
        match (key.account == by, self.is_in(at.key, region)) {
            (true, true) => self.place(at).key_state.check("Decrypt")?,
            (true, false) if key.key_spec != KeySpec::SymmetricDefault => return Err(NOT_FOUND),
            (_, _) => return Err(ACCESS_DENIED),
        }
        Ok((at, made.material))
    }

    fn is_in(&self, key: KeyName, region: Region) -> bool {
        self.key(key).places.contains_key(&region)
    }

    fn make_with_current(&mut self, at: At, product: Product) -> Material {
        let material = self.key(at.key).current().expect("a key that may be used has material");
        self.products.insert(product, Made { at, material });
        material
    }

    /// Whether GetPublicKey answers.
    pub(crate) fn tells_public_key(&self, at: At) -> Result<(), Refusal> {
        self.place(at).key_state.check("GetPublicKey")
    }
}
