import API

/// Decisions with their reasons, as text.
package enum ExplanationTables {
    /// `local`, or whose copy answers: `shop#r12 (baseline)`.
    package static func provider(_ provider: ProviderView, in environment: String) -> String {
        if provider.kind == "local" && provider.environment == environment { return "local" }
        return "\(provider.environment)#r\(provider.revision) (\(provider.kind))"
    }

    package static func overview(_ resolutions: [ResolutionView]) -> String {
        Table(
            ["SERVICE", "PROVIDER", "WHY"],
            resolutions.map { resolution in
                [
                    resolution.service, written(resolution.provider),
                    resolution.candidates.first { $0.chosen }?.why ?? "",
                ]
            }
        ).rendered()
    }

    package static func candidates(_ resolutions: [ResolutionView]) -> String {
        resolutions.map { resolution in
            "\(resolution.service) is answered by \(written(resolution.provider))\n\n"
                + Table(
                    ["CANDIDATE", "KIND", "CHOSEN", "WHY"],
                    resolution.candidates.map { [$0.environment, $0.kind, $0.chosen ? "yes" : "no", $0.why] }
                ).rendered()
        }.joined(separator: "\n")
    }

    package static func calls(_ calls: [CallView]) -> String {
        Table(
            ["CALLER", "FROM", "SERVICE", "CONTEXT", "ANSWERED BY", "ERROR", "LEAK", "COUNT"],
            calls.map { call in
                [
                    call.caller, call.callerEnvironment, call.service, call.context ?? "", call.provider ?? "",
                    call.error ?? "", call.leak ?? "", String(call.count),
                ]
            }
        ).rendered()
    }

    package static func provenance(_ values: [ExplanationView]) -> String {
        values.map { value in
            var text = "\(value.path) = \(value.value.visible)\n"
            text += "  set by \(place(value.file, value.line, value.column))\n"
            for older in value.overridden {
                let place = older.file.map { " at " + self.place($0, older.line ?? 0, older.column ?? 0) } ?? ""
                text += "  replaced \(older.message.visible)\(place)\n"
            }
            return text
        }.joined()
    }

    private static func place(_ file: String, _ line: Int, _ column: Int) -> String {
        line > 0 ? "\(file.visible):\(line):\(column)" : file.visible
    }

    private static func written(_ provider: ProviderView?) -> String {
        guard let provider else { return "nobody" }
        return "\(provider.environment)#r\(provider.revision) (\(provider.kind))"
    }
}
