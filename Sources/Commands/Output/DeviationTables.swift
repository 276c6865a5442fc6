import API

/// Deviations as text.
package enum DeviationTables {
    package static func list(_ deviations: [DeviationView], withNames: Bool) -> String {
        Table(
            (withNames ? ["ENVIRONMENT"] : []) + ["SERVICE", "KIND", "STATE", "TIMES", "LAST SEEN", "WHAT"],
            deviations.map { deviation in
                (withNames ? [deviation.name] : []) + [
                    deviation.service ?? "-", deviation.kind, deviation.state, "\(deviation.count)",
                    deviation.lastSeenAt, what(deviation),
                ]
            }
        ).rendered()
    }

    private static func what(_ deviation: DeviationView) -> String {
        let message = deviation.message.firstLine
        guard let remedy = deviation.remedy else { return message }
        return deviation.state == "open" ? "\(message) → \(remedy)" : "\(message) (\(remedy))"
    }
}
