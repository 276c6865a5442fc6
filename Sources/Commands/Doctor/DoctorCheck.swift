/// One thing that was looked at, and the command that mends it.
package struct DoctorCheck: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        case ok, warning, missing
    }

    enum CodingKeys: String, CodingKey {
        case name, state, detail, mend
        case isRequired = "required"
    }

    package var name: String
    package var state: State
    /// What was found.
    package var detail: String
    /// Absent where nothing is to be mended.
    package var mend: String?
    /// Whether MicroStax cannot work without it.
    package var isRequired: Bool

    package init(_ name: String, _ state: State, _ detail: String, mend: String? = nil, required: Bool = false) {
        self.name = name
        self.state = state
        self.detail = detail
        self.mend = state == .ok ? nil : mend
        isRequired = required
    }

    package static func table(_ checks: [DoctorCheck]) -> String {
        var text = Table(
            ["CHECK", "STATE", "NEEDED", "FOUND"],
            checks.map { [$0.name, $0.state.rawValue, $0.isRequired ? "yes" : "no", $0.detail] }
        ).rendered()
        let mends = checks.filter { $0.mend != nil }
        if !mends.isEmpty {
            text += "\nmend:\n"
            for check in mends { text += "  \(DisplayWidth.padded(check.name, to: 14)) \(check.mend ?? "")\n" }
        }
        return text
    }
}
