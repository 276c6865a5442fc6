/// A value with `${…}` references, such as `postgres://app@${services.orders-db.address}/orders`.
///
/// `$${` stands for a literal `${`. Text that is no reference of ours (`$HOME`, `$(date)`) is left alone.
package struct Template: Sendable, Hashable {
    package enum Reference: Sendable, Hashable {
        /// `${services.<name>.host|port|address|url}`.
        case service(name: String, attribute: ServiceAttribute)
        /// `${env.id}`.
        case environmentID
        /// `${env.overlayId}`; empty outside overlays.
        case overlayID
        /// `${secrets.<name>}`.
        case secret(name: String)
    }

    package enum ServiceAttribute: String, Sendable, Hashable, CaseIterable {
        /// Host name or address without port.
        case host
        case port
        /// `host:port`.
        case address
        /// `http://host:port`, `tcp://host:port` for a TCP port. Without trailing slash.
        case url
    }

    package enum Segment: Sendable, Hashable {
        case literal(String)
        case reference(Reference)
    }

    package let segments: [Segment]

    package init(segments: [Segment]) {
        self.segments = segments
    }

    package var references: [Reference] {
        segments.compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
    }

    /// The text with every reference replaced by what `value` says it stands for.
    package func rendered(_ value: (Reference) throws -> String) rethrows -> String {
        try segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .reference(let reference): try value(reference)
            }
        }.joined()
    }
}
