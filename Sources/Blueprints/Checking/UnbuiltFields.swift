/// Checks the types of the fields whose features are not built, so that a Blueprint's mistakes are all shown at once.
/// That they are not built says ``Support``.
struct UnbuiltFields {
    let findings: Findings

    func check(root: Fields) {
        _ = root.texts("extends")
        _ = root.texts("seeds")
        _ = root.boolean("autoShutdownEnabled")
        _ = root.number("autoShutdownDelayMinutes", in: 0.1...525_600)
        for (index, item) in (root.list("uses") ?? []).enumerated() {
            guard let use = Fields(item, "uses[\(index)]", known: ["service", "from"], findings) else { continue }
            for key in ["service", "from"] {
                if use.has(key) { _ = use.nonEmptyText(key) } else { use.missing(key) }
            }
        }
        checkPlans(root)
        if let snapshot = root.value("snapshot"), case .mapping = snapshot.content {
        } else if let snapshot = root.value("snapshot") {
            root.wrongType(snapshot, "`snapshot`", "a map")
        }
        if let residency = root.fields("residency", known: ["allow", "deny"]) {
            _ = residency.texts("allow")
            _ = residency.texts("deny")
        }
        checkTimes(root)
    }

    private func checkPlans(_ root: Fields) {
        guard let plans = root.value("plans") else { return }
        guard case .mapping(let profiles) = plans.content else { return root.wrongType(plans, "`plans`", "a map") }
        for profile in profiles {
            let path = "plans.\(shortened(profile.key))"
            guard let plan = Fields(profile.value, path, known: ["services"], findings),
                let services = plan.value("services")
            else { continue }
            guard case .mapping(let entries) = services.content else {
                plan.wrongType(services, "`\(path).services`", "a map")
                continue
            }
            for entry in entries {
                let known = ["replicas", "resources", "env"]
                let name = "\(path).services.\(shortened(entry.key))"
                guard let service = Fields(entry.value, name, known: known, findings) else { continue }
                _ = service.integer("replicas", in: 0...1000)
                _ = service.textMap("env")
                checkResources(service)
            }
        }
    }

    private func checkTimes(_ root: Fields) {
        if let schedule = root.fields("schedule", known: ["sleep", "wake", "timezone"]) {
            for key in ["sleep", "wake"] {
                guard let text = schedule.text(key), !ValueText.isCron(text) else { continue }
                findings.error(
                    "invalid_cron", "`\(shortened(text))` is no cron expression", at: schedule.at(key),
                    hint: "minute hour day month weekday, such as `0 20 * * 1-5`")
            }
            _ = schedule.nonEmptyText("timezone")
        }
        guard let ttl = root.value("ttl") else { return }
        if case .mapping = ttl.content {
            guard let map = root.fields("ttl", known: ["duration", "from"]) else { return }
            if !map.has("duration") { map.missing("duration") }
            _ = map.choice("from", ["createdAt", "updatedAt"])
            checkDuration(map, "duration")
        } else {
            checkDuration(root, "ttl")
        }
    }

    private func checkDuration(_ map: Fields, _ key: String) {
        guard let text = map.text(key) else { return }
        if let seconds = ValueText.duration(text), seconds > 0 { return }
        findings.error(
            "invalid_duration", "`\(shortened(text))` is no duration", at: map.at(key), hint: "such as 90s, 1h30m or 7d"
        )
    }

    func check(service: Fields) {
        checkResources(service)
        _ = service.choice("data", ["inherit", "branch", "empty"])
        _ = service.choice("activation", ["auto", "eager", "onDemand"])
        _ = service.texts("claims")
        _ = service.nonEmptyText("contract")
        guard let mock = service.fields("mock", known: ["enabled", "mode", "openapi", "deployment"]) else { return }
        _ = mock.boolean("enabled")
        _ = mock.choice("mode", ["static", "stateful", "ai-stateful", "recorded"])
        _ = mock.nonEmptyText("openapi")
        _ = mock.fields("deployment", known: ["mode"])?.choice("mode", ["replace", "sidecar", "mirror"])
    }

    private func checkResources(_ owner: Fields) {
        guard let resources = owner.fields("resources", known: ["cpu", "memory", "requests", "limits"]) else { return }
        checkQuantities(resources)
        for key in ["requests", "limits"] {
            if let map = resources.fields(key, known: ["cpu", "memory"]) { checkQuantities(map) }
        }
    }

    private func checkQuantities(_ map: Fields) {
        for key in ["cpu", "memory"] {
            guard let text = map.text(key), Quantity(text) == nil else { continue }
            findings.error(
                "invalid_quantity", "`\(map.name(key))`: `\(shortened(text))` is no quantity", at: map.at(key),
                hint: key == "cpu" ? "such as 500m or 2" : "such as 512Mi or 1Gi")
        }
    }
}
