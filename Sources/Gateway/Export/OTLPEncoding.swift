import EnvironmentGraph
import HTTPWire

/// Spans as an `ExportTraceServiceRequest` in OTLP's JSON encoding (opentelemetry-proto 1.x, "JSON Protobuf Encoding"): ids
/// in hexadecimal, 64-bit numbers as text, enumerations as numbers. Attributes are those of the semantic conventions for
/// HTTP where there is one.
///
/// A span is told as the called service's (`service.name`, kind SERVER), as a sidecar would: so a service without a tracer
/// has a place in the collector's map, and one with a tracer hangs its own spans below.
enum OTLPEncoding {
    static let gatewayName = "microstax-gateway"

    /// Spans of one service of one environment share a resource.
    private struct Resource: Hashable {
        var service: String
        var environment: String
        var revision: Int
    }

    static func body(_ spans: [Span], version: String) -> [UInt8] {
        var groups: [Resource: [Span]] = [:]
        for span in spans {
            let place = span.place
            let resource = Resource(
                service: place.service.isEmpty ? gatewayName : place.service,
                environment: (place.provider ?? place.environment).name, revision: place.revision)
            groups[resource, default: []].append(span)
        }
        var json = JSONBytes()
        json.raw("{\"resourceSpans\":[")
        for (index, group) in groups.enumerated() {
            if index > 0 { json.raw(",") }
            json.raw("{\"resource\":{\"attributes\":[")
            json.attribute("service.name", group.key.service, isFirst: true)
            json.attribute("deployment.environment.name", group.key.environment)
            if group.key.revision > 0 { json.attribute("service.version", "r\(group.key.revision)") }
            json.raw("]},\"scopeSpans\":[{\"scope\":{\"name\":\"microstax.gateway\",\"version\":")
            json.text(version)
            json.raw("},\"spans\":[")
            for (index, span) in group.value.enumerated() {
                if index > 0 { json.raw(",") }
                append(span, to: &json)
            }
            json.raw("]}]}")
        }
        json.raw("]}")
        return json.bytes
    }

    private static func append(_ span: Span, to json: inout JSONBytes) {
        let parts = span.route.split(separator: " ", maxSplits: 1).map(String.init)
        let method = parts.first ?? ""
        json.raw("{\"traceId\":\"\(Span.hex(span.trace.high))\(Span.hex(span.trace.low))\",\"spanId\":\"")
        json.raw(Span.hex(span.id))
        if span.parent != 0 { json.raw("\",\"parentSpanId\":\"" + Span.hex(span.parent)) }
        json.raw("\",\"name\":")
        // The path is nobody's route: too many different ones for a name.
        json.text(method.isEmpty ? "HTTP" : method)
        json.raw(",\"kind\":2,\"startTimeUnixNano\":\"\(span.startedAt)\",\"endTimeUnixNano\":\"\(span.end)\"")
        json.raw(",\"attributes\":[")
        json.attribute("http.request.method", method, isFirst: true)
        json.attribute("url.path", parts.count > 1 ? parts[1] : "")
        if span.status > 0 { json.attribute("http.response.status_code", span.status) }
        json.attribute("http.request.body.size", Int(clamping: span.requestBytes))
        json.attribute("http.response.body.size", Int(clamping: span.responseBytes))
        if span.attempts > 1 { json.attribute("http.request.resend_count", span.attempts - 1) }
        if let error = errorType(span) { json.attribute("error.type", error) }
        json.attribute("microstax.caller", span.place.caller)
        json.attribute("microstax.caller.environment", span.place.environment.name)
        json.attribute("microstax.carrier", span.carrier.name)
        if let context = span.place.context { json.attribute("microstax.context", context.name) }
        if let leak = span.leak { json.attribute("microstax.leak", leak.rawValue) }
        if span.carriersDisagree { json.attribute("microstax.carriers_disagree", "true") }
        json.raw("],\"status\":{\(span.isFailure ? "\"code\":2" : "")}}")
    }

    private static func errorType(_ span: Span) -> String? {
        if let fault = span.place.fault { return fault }
        if span.status == 0 || span.isBroken { return "broken_off" }
        return span.status >= 500 ? String(span.status) : nil
    }
}

extension Span {
    /// Semantic conventions, HTTP server spans: 4xx is the client's.
    fileprivate var isFailure: Bool { status == 0 || status >= 500 || isBroken }
}

/// JSON as it is written.
private struct JSONBytes {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(64 << 10) }

    mutating func raw(_ text: String) { bytes += text.utf8 }

    mutating func text(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C:
                bytes.append(0x5C)
                bytes.append(byte)
            case 0..<0x20:
                raw("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    mutating func attribute(_ key: String, _ value: String, isFirst: Bool = false) {
        raw((isFirst ? "" : ",") + "{\"key\":\"\(key)\",\"value\":{\"stringValue\":")
        text(value)
        raw("}}")
    }

    mutating func attribute(_ key: String, _ value: Int) {
        raw(",{\"key\":\"\(key)\",\"value\":{\"intValue\":\"\(value)\"}}")
    }
}
