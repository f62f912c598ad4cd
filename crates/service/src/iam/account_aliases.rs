//! CreateAccountAlias, DeleteAccountAlias, ListAccountAliases.

use store::{AccountAliasRow, AccountRecord, Transaction};
use wire::error_codes::ErrorCode;
use wire::iam::accounts::{
    CreateAccountAliasRequest, DeleteAccountAliasRequest, ListAccountAliasesRequest,
    ListAccountAliasesResponse,
};
use wire::names::AccountId;
use wire::shape::required;

use super::paging::{self, Wanted};
use super::{DEFAULT, READING};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::Done;

/// Gives the account an alias, in place of the one that it has. No two accounts of a deployment have the same one.
pub(crate) struct CreateAccountAlias;

impl Operation for CreateAccountAlias {
    type Request = CreateAccountAliasRequest;
    type Target = NoTarget;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "CreateAccountAlias", actions: &["iam:CreateAccountAlias"], ..DEFAULT };

    fn names(_request: &CreateAccountAliasRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &CreateAccountAliasRequest,
    ) -> Result<Done<()>, ServiceError> {
        let account_alias = required(&request.account_alias)?.to_owned();
        change(context, move |record, transaction| {
            // The account's own alias too: AWS refuses to make what is there.
            if transaction.account_of_alias(&account_alias)?.is_some() {
                let message = format!("The account alias {account_alias} already exists.");
                return Err(ServiceError::new(ErrorCode::EntityAlreadyExists, message));
            }
            record.aliases = vec![AccountAliasRow { account_alias }];
            Ok(())
        })
        .await
    }
}

/// Takes the alias from the account.
pub(crate) struct DeleteAccountAlias;

impl Operation for DeleteAccountAlias {
    type Request = DeleteAccountAliasRequest;
    type Target = NoTarget;
    type Response = ();
    const SPEC: Spec =
        Spec { name: "DeleteAccountAlias", actions: &["iam:DeleteAccountAlias"], ..DEFAULT };

    fn names(_request: &DeleteAccountAliasRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &DeleteAccountAliasRequest,
    ) -> Result<Done<()>, ServiceError> {
        let account_alias = required(&request.account_alias)?.to_owned();
        change(context, move |record, _| {
            let count = record.aliases.len();
            record.aliases.retain(|row| row.account_alias != account_alias);
            if record.aliases.len() == count {
                let message =
                    format!("The account alias with name {account_alias} cannot be found.");
                return Err(ServiceError::new(ErrorCode::NoSuchEntity, message));
            }
            Ok(())
        })
        .await
    }
}

/// Tells the account's alias.
pub(crate) struct ListAccountAliases;

impl Operation for ListAccountAliases {
    type Request = ListAccountAliasesRequest;
    type Target = NoTarget;
    type Response = ListAccountAliasesResponse;
    const SPEC: Spec =
        Spec { name: "ListAccountAliases", actions: &["iam:ListAccountAliases"], ..READING };

    fn names(_request: &ListAccountAliasesRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &ListAccountAliasesRequest,
    ) -> Result<Done<ListAccountAliasesResponse>, ServiceError> {
        let account = context.call().account();
        let record = context.host().store.read(move |snapshot| snapshot.account(account)).await?;
        let rows = record.map_or_else(Vec::new, |record| record.aliases);
        let wanted = Wanted {
            list: "ListAccountAliases",
            filter: "",
            marker: request.marker.as_deref(),
            items_max: request.max_items,
        };
        let page = paging::page(context, wanted, rows, |row| row.account_alias.clone())?;
        Ok(Done::read(ListAccountAliasesResponse {
            account_aliases: page.items.into_iter().map(|row| row.account_alias).collect(),
            is_truncated: page.is_truncated,
            marker: page.marker,
        }))
    }
}

/// Commits a change of the caller's account.
async fn change(
    context: &Context<'_>,
    edit: impl FnOnce(&mut AccountRecord, &Transaction<'_>) -> Result<(), ServiceError> + Send + 'static,
) -> Result<Done<()>, ServiceError> {
    let account: AccountId = context.call().account();
    context
        .change(Vec::new(), move |transaction| {
            let record = transaction.account(account)?;
            let mut record = record
                .ok_or_else(|| ServiceError::internal("the account of the caller is not there"))?;
            edit(&mut record, transaction)?;
            transaction.save_account(&record)?;
            Ok(())
        })
        .await
}
