import EnvironmentGraph
import Storage

/// Ports and secrets: what an environment was given.
extension Transaction {
    func ports(of id: EnvironmentID) throws -> [PortAssignment] {
        let found = try connection.rows(
            "SELECT number, purpose FROM ports WHERE environment = ? ORDER BY number", .text(id.rawValue)
        ) { (row) throws(StoreError) in (number: row.number(0), purpose: row.blob(1)) }
        return try found.map { port in
            let purpose = try purpose(port.purpose, port: port.number)
            return PortAssignment(environment: id, purpose: purpose, number: port.number)
        }
    }

    func port(_ number: Int) throws -> PortAssignment? {
        let found = try connection.row("SELECT environment, purpose FROM ports WHERE number = ?", .number(number)) {
            (row) throws(StoreError) in (environment: EnvironmentID(rawValue: row.text(0)), purpose: row.blob(1))
        }
        guard let found else { return nil }
        let purpose = try self.purpose(found.purpose, port: number)
        return PortAssignment(environment: found.environment, purpose: purpose, number: number)
    }

    private func purpose(_ json: [UInt8], port: Int) throws(StoreError) -> PortAssignment.Purpose {
        if let purpose = PortAssignment.Purpose(quickly: json) { return purpose }
        return try decode(PortAssignment.Purpose.self, json, "ports", "\(port)")
    }

    func portsInUse() throws -> Set<Int> {
        Set(try connection.rows("SELECT number FROM ports") { (row) throws(StoreError) in row.number(0) })
    }

    /// A purpose has one port: another number replaces it.
    func save(_ port: PortAssignment) throws {
        let environment = SQLValue.text(port.environment.rawValue)
        let purpose = SQLValue.text(try encode(port.purpose, "ports", "\(port.number)"))
        let taken = StoreError(.portTaken, "the port \(port.number) is given to something else")
        let changed = try connection.execute(
            "UPDATE ports SET number = ? WHERE environment = ? AND purpose = ?", .number(port.number), environment,
            purpose, orTaken: taken)
        guard changed == 0 else { return }
        try connection.execute(
            "INSERT INTO ports(number, environment, purpose) VALUES(?, ?, ?)", .number(port.number), environment,
            purpose, orTaken: taken)
    }

    func removePorts(of id: EnvironmentID) throws {
        try connection.execute("DELETE FROM ports WHERE environment = ?", .text(id.rawValue))
    }

    func removePorts(of id: EnvironmentID, numbers: Set<Int>) throws {
        for number in numbers {
            try connection.execute(
                "DELETE FROM ports WHERE environment = ? AND number = ?", .text(id.rawValue), .number(number))
        }
    }

    /// Sorted by service and name.
    func secrets(of id: EnvironmentID) throws -> [SealedSecret] {
        try connection.rows(
            "SELECT service, name, sealed FROM secrets WHERE environment = ? ORDER BY service, name",
            .text(id.rawValue)
        ) { (row) throws(StoreError) in
            SealedSecret(environment: id, service: row.text(0), name: row.text(1), sealed: row.blob(2))
        }
    }

    func removeSecrets(of id: EnvironmentID) throws {
        try connection.execute("DELETE FROM secrets WHERE environment = ?", .text(id.rawValue))
    }

    func save(_ secret: SealedSecret) throws {
        try connection.execute(
            "INSERT OR REPLACE INTO secrets(environment, service, name, sealed) VALUES(?, ?, ?, ?)",
            .text(secret.environment.rawValue), .text(secret.service), .text(secret.name), .blob(secret.sealed))
    }
}
