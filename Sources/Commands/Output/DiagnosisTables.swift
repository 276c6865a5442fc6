import API

/// A diagnosis as a person reads it: cause, what shows it, what follows from it, what mends it.
package struct DiagnosisTables {
    let palette: Palette

    package init(palette: Palette) { self.palette = palette }

    package func letter(_ diagnosis: DiagnosisView) -> String {
        let name = diagnosis.environment.name
        let heading = palette.bold("\(name) is \(diagnosis.environment.state)")
        guard !diagnosis.findings.isEmpty else {
            return "\(heading): nothing is wrong\nlooked at: \(diagnosis.lookedAt.joined(separator: ", "))\n"
        }
        let count = diagnosis.findings.count
        let followers = diagnosis.findings.reduce(0) { $0 + $1.consequences.count }
        var text = "\(heading): \(count) \(count == 1 ? "finding" : "findings")"
        if followers > 0 {
            text += ", \(followers) more \(followers == 1 ? "service is" : "services are") down because of it"
        }
        text += "\n"
        for (number, finding) in diagnosis.findings.enumerated() { text += "\n" + written(finding, number + 1, name) }
        return text
    }

    private func written(_ finding: FindingView, _ number: Int, _ environment: String) -> String {
        let about = [finding.service.map { " " + $0 }, " " + finding.code].compactMap { $0 }.joined()
        let sure = finding.confidence == "certain" ? "" : " (\(finding.confidence))"
        var text = "\(number). \(coloured(finding.severity))\(about)\(sure)\n"
        text += "   \(palette.bold(finding.cause.visible))\n"
        for evidence in finding.evidence {
            text += "     \(DisplayWidth.padded(evidence.source, to: 10))\(palette.dim(evidence.line.visible))\n"
        }
        for consequence in finding.consequences {
            let what = consequence.what.firstLine.visible
            let name = what.hasPrefix(consequence.service) ? "" : consequence.service + " "
            text += "   because of it: \(name)\(what)\n"
        }
        for other in finding.also { text += "   also: \(other.visible)\n" }
        for suggestion in finding.suggestions { text += written(suggestion, environment) }
        return text
    }

    private func written(_ suggestion: SuggestionView, _ environment: String) -> String {
        var text = "   \(palette.green("fix:")) \(suggestion.title.visible)\n"
        if let command = suggestion.command { text += "        \(palette.cyan(command.visible))\n" }
        let apply = "microstax env diagnose \(environment) --apply \(suggestion.id)"
        if suggestion.applicable, suggestion.command != apply { text += "        or \(palette.cyan(apply))\n" }
        return text
    }

    private func coloured(_ severity: String) -> String {
        switch severity {
        case "error": palette.red(severity)
        case "warning": palette.yellow(severity)
        default: severity
        }
    }
}
