import Foundation
import HTTPTransport
import Runtimes

/// JSON on the control socket.
enum ControlCoding {
    static func encode(_ value: some Encodable) -> [UInt8] {
        // Our own wire types: strings, numbers and lists always encode.
        (try? [UInt8](JSONEncoder().encode(value))) ?? []
    }

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw RuntimeError(.unavailable, "the supervisor and its server do not understand each other: \(error)")
        }
    }

    /// One element of a stream of JSON values.
    static func line(_ value: some Encodable) -> [UInt8] { encode(value) + [UInt8(ascii: "\n")] }

    static func response(_ value: some Encodable, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: HTTPFields([("content-type", "application/json")]), body: .bytes(encode(value)))
    }
}
