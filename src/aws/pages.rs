//! Lists for which the SDK has no paginator.

use crate::aws::error::AwsError;

/// All items of a list: `page` asks for one page by its token, and gives the items with the token of the next one. An empty
/// token, which some services send, leads nowhere.
pub async fn all<T, F>(mut page: impl FnMut(Option<String>) -> F) -> Result<Vec<T>, AwsError>
where
    F: Future<Output = Result<(Option<Vec<T>>, Option<String>), AwsError>>,
{
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let (items, next) = page(token).await?;
        all.extend(items.unwrap_or_default());
        token = next.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(all);
        }
    }
}
