import Foundation
import TestSupport

/// What `echo.py` answers, hop by hop.
struct Answer: Decodable, Sendable {
    final class Box: Decodable, Sendable {
        let value: Answer
        init(from decoder: any Decoder) throws { value = try Answer(from: decoder) }
    }

    let service: String
    let version: String
    let context: String?
    let next: Box?
    let nextProvider: String?

    /// `front:v1 middle:v1 back:v2`.
    var path: String { "\(service):\(version)" + (next.map { " " + $0.value.path } ?? "") }

    struct Reply: Sendable {
        let status: Int
        let headers: [String: String]
        let body: Data

        var answer: Answer { get throws { try JSONDecoder().decode(Answer.self, from: body) } }
    }

    /// One request, its connection closed afterwards.
    static func get(_ url: String, _ headers: [String: String] = [:]) async throws -> Reply {
        let arguments =
            ["curl", "-s", "-i", "--max-time", "30", url] + headers.flatMap { ["-H", "\($0.key): \($0.value)"] }
        let output = try await Tool.run("/usr/bin/env", arguments).stdout
        let separator = output.range(of: Data("\r\n\r\n".utf8))
        let head = String(decoding: output[..<(separator?.lowerBound ?? output.endIndex)], as: UTF8.self)
        var headers: [String: String] = [:]
        let lines = head.components(separatedBy: "\r\n")
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return Reply(
            status: Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0, headers: headers,
            body: output[(separator?.upperBound ?? output.endIndex)...])
    }
}
