import Blueprints
import EnvironmentGraph
import Storage

extension Transaction {
    func layers() throws -> [LayerRecord] {
        try layers("SELECT name, max(number), record FROM layers GROUP BY name ORDER BY name")
    }

    func layer(_ name: String, revision: Int?) throws -> LayerRecord? {
        if let revision {
            return try layers(
                "SELECT name, number, record FROM layers WHERE name = ? AND number = ?", .text(name), .number(revision)
            ).first
        }
        return try layers(
            "SELECT name, number, record FROM layers WHERE name = ? ORDER BY number DESC LIMIT 1", .text(name)
        ).first
    }

    func layerRevisions(of name: String) throws -> [LayerRecord] {
        try layers("SELECT name, number, record FROM layers WHERE name = ? ORDER BY number", .text(name))
    }

    private func layers(_ sql: String, _ values: SQLValue...) throws(StoreError) -> [LayerRecord] {
        let rows = try connection.rows(sql, values) { (row) throws(StoreError) in
            (id: "\(row.text(0))@\(row.number(1))", json: row.blob(2))
        }
        return try rows.map { (row) throws(StoreError) in try decode(LayerRecord.self, row.json, "layers", row.id) }
    }

    func lastLayerNumber(of name: String) throws -> Int {
        try connection.row("SELECT last FROM layer_numbers WHERE name = ?", .text(name)) { (row) throws(StoreError) in
            row.number(0)
        } ?? 0
    }

    func uses(ofLayer name: String) throws -> [LayerUse] {
        try connection.rows(
            "SELECT environment, number FROM layer_uses WHERE layer = ? ORDER BY environment, number", .text(name)
        ) { (row) throws(StoreError) in
            LayerUse(environment: EnvironmentID(rawValue: row.text(0)), number: row.number(1))
        }
    }

    func save(_ layer: LayerRecord) throws {
        guard layer.number > (try lastLayerNumber(of: layer.name)) else {
            throw StoreError(
                .nameTaken, "the layer \(layer.name) has or had a revision \(layer.number)", hint: "try again")
        }
        try connection.execute(
            "INSERT INTO layers(name, number, record) VALUES(?, ?, ?)", .text(layer.name), .number(layer.number),
            .text(try encode(layer, "layers", "\(layer.name)@\(layer.number)")))
        try connection.execute(
            "INSERT OR REPLACE INTO layer_numbers(name, last) VALUES(?, ?)", .text(layer.name), .number(layer.number))
    }

    func removeLayer(_ name: String) throws {
        try connection.execute("DELETE FROM layers WHERE name = ?", .text(name))
    }

    /// What a revision was composed of, beside it.
    func saveUses(_ revision: RevisionRecord) throws {
        try connection.execute(
            "DELETE FROM layer_uses WHERE environment = ? AND number = ?", .text(revision.environment.rawValue),
            .number(revision.number))
        for layer in revision.layers ?? [] where layer.kind == .layer {
            try connection.execute(
                "INSERT OR REPLACE INTO layer_uses(layer, environment, number) VALUES(?, ?, ?)", .text(layer.name),
                .text(revision.environment.rawValue), .number(revision.number))
        }
    }
}
