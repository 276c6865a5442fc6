import API

/// What would be done, and why, as text.
package enum PlanTables {
    package static func creation(_ accepted: AcceptedView, _ palette: Palette = .plain) -> String {
        let environment = accepted.environment
        var text = "\(environment.name) would be created as \(environment.mode)"
        if let parent = environment.parent { text += " on \(parent.name)#r\(parent.revision)" }
        text += "; nothing was done\n"
        if !accepted.difference.isEmpty {
            text += "\n"
            text += DifferenceText(palette).overlay(accepted.difference)
        }
        let cold = (accepted.services ?? []).filter { $0.verdict == "cold" }
        if !cold.isEmpty {
            text += "\n" + Table(["COLD", "WHY"], cold.map { [$0.service, $0.reason] }).rendered()
        }
        return text + steps(accepted.plan)
    }

    package static func deletion(_ deleted: ChangeView) -> String {
        "\(deleted.environment.name) would be deleted; nothing was done\n" + steps(deleted.plan)
    }

    package static func steps(_ steps: [StepView]) -> String {
        guard !steps.isEmpty else { return "" }
        return "\n" + Table(["STEP", "DOES", "WHY"], steps.map { [$0.key, $0.title, $0.reason] }).rendered()
    }
}
