import Contracts
import Foundation

/// Reading and comparing OpenAPI documents: one of our own making, and the largest of other people's where it is at hand
/// (`BENCH_OPENAPI`).
struct Contracting {
    private static func document(operations: Int) -> [UInt8] {
        var text = "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"bench\",\"version\":\"1\"},\"paths\":{"
        text += (0..<operations).map { number in
            let parameters = "[{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}]"
            let body = "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/S\(number)\"}}}"
            return "\"/p\(number)/{id}\":{\"put\":{\"parameters\":\(parameters),\"requestBody\":{\"content\":\(body)},"
                + "\"responses\":{\"200\":{\"description\":\"d\",\"content\":\(body)}}}}"
        }.joined(separator: ",")
        text += "},\"components\":{\"schemas\":{"
        text += (0..<operations).map { number in
            let properties = (0..<10).map { "\"f\($0)\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}" }.joined(
                separator: ",")
            return "\"S\(number)\":{\"type\":\"object\",\"required\":[\"f0\"],\"properties\":{\(properties),"
                + "\"next\":{\"$ref\":\"#/components/schemas/S\((number + 1) % operations)\"}}}"
        }.joined(separator: ",")
        return Array((text + "}}}").utf8)
    }

    func run() throws {
        try measure("contract of 1,000 operations", Self.document(operations: 1_000))
        if let path = ProcessInfo.processInfo.environment["BENCH_OPENAPI"] {
            try measure("largest contract", [UInt8](try Data(contentsOf: URL(filePath: path))))
        }
    }

    private func measure(_ name: String, _ bytes: [UInt8]) throws {
        var documents: [ContractDocument] = []
        let reading = try milliseconds(5) {
            guard let document = ContractDocument.read(bytes, file: "bench.json").document else {
                throw BenchFailure(message: "\(name) is not read")
            }
            documents = documents.suffix(1) + [document]
        }
        let comparing = try milliseconds(5) {
            guard breakingChanges(from: documents[0], to: documents[1]).isEmpty else {
                throw BenchFailure(message: "\(name) differs from itself")
            }
        }
        tell(name + " MB", Double(bytes.count) / 1e6)
        tell(name + " read ms", reading.median)
        tell(name + " compared ms", comparing.median)
    }
}
