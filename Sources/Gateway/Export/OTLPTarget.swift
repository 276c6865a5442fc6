/// Where spans are sent as OTLP/HTTP.
package struct OTLPTarget: Sendable, Hashable, Codable {
    /// Why an address is none.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    package let host: String
    package let port: Int
    /// With `/v1/traces` at its end.
    package let path: String
    /// Names and values; never logged.
    package let headers: [String: String]

    static let tracesPath = "/v1/traces"

    /// - Parameters:
    ///   - url: such as `http://127.0.0.1:4318`, a collector's base.
    ///   - isWhole: the path is meant as it is, not as a base.
    ///   - headers: `name=value` by comma, values percent-encoded, as in OTEL_EXPORTER_OTLP_HEADERS.
    package init(url: String, isWhole: Bool = false, headers: String = "") throws {
        guard url.hasPrefix("http://") else {
            throw Problem(
                description: url.hasPrefix("https://")
                    ? "not_supported_yet: \(url): OTLP over TLS; send it to a collector on this machine"
                    : "\(url) is no address such as http://127.0.0.1:4318")
        }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        let given = String(rest.dropFirst(authority.count))
        var (host, port) = (String(authority), 4318)
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                throw Problem(description: "\(url) has no port from 1 to 65535")
            }
            (host, port) = (String(authority[..<colon]), number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !host.contains("@") else {
            throw Problem(description: "\(url) is no address such as http://127.0.0.1:4318")
        }
        self.host = host
        self.port = port
        let base = given.hasSuffix("/") ? String(given.dropLast()) : given
        path = isWhole ? (given.isEmpty ? "/" : given) : base.hasSuffix(Self.tracesPath) ? base : base + Self.tracesPath
        self.headers = try Self.headers(headers)
    }

    private static func headers(_ text: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = trimmed(parts[0]), let value = trimmed(parts[1]),
                let decoded = decoded(value), decoded.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
                name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A })
            else { throw Problem(description: "a header for OTLP is no name=value") }
            found[name] = decoded
        }
        return found
    }

    private static func trimmed(_ text: Substring) -> String? {
        let text = text.drop { $0 == " " }
        let end = text.lastIndex { $0 != " " }
        return end.map { String(text[...$0]) }
    }

    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// What the environment says: `MICROSTAX_OTLP_ENDPOINT`, else OpenTelemetry's own variables, unless they ask for gRPC.
    package static func make(option: String?, environment: [String: String]) throws -> OTLPTarget? {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let headers =
            variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS") ?? variable("OTEL_EXPORTER_OTLP_HEADERS") ?? ""
        if let url = option ?? variable("MICROSTAX_OTLP_ENDPOINT") { return try OTLPTarget(url: url, headers: headers) }
        let wire = variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") ?? variable("OTEL_EXPORTER_OTLP_PROTOCOL")
        guard wire != "grpc", variable("OTEL_SDK_DISABLED") != "true" else { return nil }
        // They are meant for other programs as well: what cannot be used is left alone.
        if let url = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
            return try? OTLPTarget(url: url, isWhole: true, headers: headers)
        }
        return variable("OTEL_EXPORTER_OTLP_ENDPOINT").flatMap { try? OTLPTarget(url: $0, headers: headers) }
    }
}
