//! The table of `kubectl get indexrestores`, as the API server renders it.

use anyhow::{Context as _, Result};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::NAMESPACE;

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Fixed widths of the columns, so that the table does not change its layout.
const WIDTHS: [usize; 4] = [22, 20, 10, 21];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    column_definitions: Vec<Column>,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
    /// Above 0: shown by `-o wide` only.
    #[serde(default)]
    priority: u32,
}

#[derive(Debug, Deserialize)]
struct Row {
    cells: Vec<Value>,
}

impl Table {
    pub async fn fetch(client: &Client) -> Result<Self> {
        let path =
            format!("/apis/restore.pinecone.io/v1alpha1/namespaces/{NAMESPACE}/indexrestores");
        let request = http::Request::get(path).header(http::header::ACCEPT, AS_TABLE);
        client
            .request(request.body(Vec::new())?)
            .await
            .context("reading the table of IndexRestores from the API server")
    }

    pub fn header(&self) -> String {
        let titles = self
            .column_definitions
            .iter()
            .map(|column| column.name.to_uppercase());
        self.line(titles)
    }

    /// Returns the printed rows.
    pub fn lines(&self) -> Vec<String> {
        self.rows
            .iter()
            .map(|row| self.line(row.cells.iter().map(text)))
            .collect()
    }

    /// Returns the rows without their ages, to find changes.
    pub fn states(&self) -> Vec<String> {
        let age = self.column("Age");
        let is_state = |place: usize| self.is_narrow(place) && Some(place) != age;
        let state = |row: &Row| {
            let cells = row.cells.iter().enumerate();
            let cells = cells.filter(|(place, _)| is_state(*place));
            cells.map(|(_, cell)| text(cell) + " ").collect()
        };
        self.rows.iter().map(state).collect()
    }

    /// Returns the cell of an IndexRestore in a column.
    pub fn cell(&self, name: &str, column: &str) -> Option<String> {
        let (names, column) = (self.column("Name")?, self.column(column)?);
        let row = self
            .rows
            .iter()
            .find(|row| row.cells.get(names).is_some_and(|cell| cell == name))?;
        row.cells.get(column).map(text)
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.column_definitions
            .iter()
            .position(|column| column.name == name)
    }

    fn is_narrow(&self, place: usize) -> bool {
        self.column_definitions
            .get(place)
            .is_some_and(|column| column.priority == 0)
    }

    fn line(&self, cells: impl Iterator<Item = String>) -> String {
        let narrow = cells
            .enumerate()
            .filter(|(place, _)| self.is_narrow(*place));
        let padded = narrow.map(|(place, cell)| {
            let width = WIDTHS.get(place).copied().unwrap_or_default();
            format!("{cell:<width$}")
        });
        padded.collect::<String>().trim_end().to_owned()
    }
}

fn text(cell: &Value) -> String {
    match cell {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
