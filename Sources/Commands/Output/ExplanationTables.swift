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

    /// Every value with where it comes from, or with what took it away.
    package static func provenance(_ values: [ExplanationView]) -> String {
        values.map { value in
            let place = Self.place(value.layer, value.file, value.line, value.column)
            var text = ""
            if let removed = value.removed {
                let how = removed == "null" ? " (null)" : ""
                text = "\(value.path.visible) is removed\(how) by \(place)\n"
            } else if value.reason != nil {
                let layer = value.layer ?? "default"
                text = "\(value.path.visible) = \((value.value ?? "").visible) (\(layer))\n"
                text += "  \(value.reason?.visible ?? "")\(value.file == nil ? "" : ", for \(place)")\n"
            } else {
                text = "\(value.path.visible) = \((value.value ?? "").visible)\n  set by \(place)\n"
            }
            for older in value.overridden {
                let place = Self.place(older.layer, older.file, older.line, older.column)
                if older.removed == true {
                    text += "  after it was removed at \(place)\n"
                } else {
                    let what = older.value.map { " " + $0.visible } ?? ""
                    text += value.removed == nil ? "  replaced\(what) at \(place)\n" : "  was\(what) at \(place)\n"
                }
            }
            return text
        }.joined()
    }

    /// `org@3 org.yaml:4:5`; a layer `default` is said otherwise.
    private static func place(_ layer: String?, _ file: String?, _ line: Int?, _ column: Int?) -> String {
        let isLayer = layer?.contains { $0 == "@" || $0 == "#" } ?? false
        let owner = isLayer ? (layer ?? "") + " " : ""
        guard let file, !file.isEmpty, let line, line > 0 else { return isLayer ? owner : layer ?? file ?? "" }
        return "\(owner)\(file.visible):\(line):\(column ?? 0)"
    }

    private static func written(_ provider: ProviderView?) -> String {
        guard let provider else { return "nobody" }
        return "\(provider.environment)#r\(provider.revision) (\(provider.kind))"
    }
}
