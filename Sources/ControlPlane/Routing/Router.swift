import API
import HTTPTransport

/// Finds the operation of the catalogue that a request means, by method and path.
struct Router: Sendable {
    enum Match: Sendable {
        /// With its path's parameters, decoded, in order.
        case operation(API.Operation, parameters: [String])
        case notSupportedYet
        case noSuchMethod(allowed: [String])
        case noSuchPath
    }

    private let routes: [(operation: API.Operation, parts: [Substring])]

    init() {
        routes = API.Operation.allCases.map { ($0, $0.path.split(separator: "/")) }
    }

    func match(_ method: String, _ path: String) -> Match {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        var allowed: [String] = []
        for route in routes where route.parts.count == parts.count {
            guard let parameters = Self.parameters(route.parts, parts) else { continue }
            if route.operation.method == method { return .operation(route.operation, parameters: parameters) }
            allowed.append(route.operation.method)
        }
        let isPlanned = API.Operation.planned.contains { planned in
            let pattern = planned.path.split(separator: "/")
            return planned.method == method && pattern.count == parts.count
                && Self.parameters(pattern, parts) != nil
        }
        if isPlanned { return .notSupportedYet }
        return allowed.isEmpty ? .noSuchPath : .noSuchMethod(allowed: allowed)
    }

    private static func parameters(_ pattern: [Substring], _ parts: [Substring]) -> [String]? {
        var parameters: [String] = []
        for (wanted, part) in zip(pattern, parts) {
            if wanted.hasPrefix("{") {
                guard let value = HTTPQuery.percentDecode(String(part)) else { return nil }
                parameters.append(value)
            } else if wanted != part {
                return nil
            }
        }
        return parameters
    }
}
