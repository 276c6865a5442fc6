/// Where something of a contract is written.
package struct ContractPlace: Sendable, Hashable, Codable {
    /// As given to `ContractDocument.read`.
    package var file: String
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`.
    package var shown: String { "\(file):\(line):\(column)" }
}

/// Line and column, from 1, of something whose file is known.
struct Spot: Sendable, Hashable, Comparable {
    var line: Int32
    var column: Int32

    static let start = Spot(line: 1, column: 1)

    func place(in file: String) -> ContractPlace { .init(file: file, line: Int(line), column: Int(column)) }

    static func < (left: Spot, right: Spot) -> Bool { (left.line, left.column) < (right.line, right.column) }
}
