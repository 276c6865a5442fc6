package enum WebSocketMessage: Sendable, Hashable {
    case text(String)
    case binary([UInt8])
}

/// Why a WebSocket was closed: RFC 6455 section 7.4.
package struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let normal = Self(rawValue: 1000)
    /// The server stops.
    package static let goingAway = Self(rawValue: 1001)
    package static let protocolError = Self(rawValue: 1002)
    package static let invalidPayload = Self(rawValue: 1007)
    package static let policyViolation = Self(rawValue: 1008)
    package static let tooLarge = Self(rawValue: 1009)
    package static let internalError = Self(rawValue: 1011)

    /// Whether it may stand in a frame; the others only name what never was one.
    var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// How a WebSocket ended that did not end with a close frame from the other side.
package struct WebSocketBroken: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}
