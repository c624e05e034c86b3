using Sentiric.Contracts.Events;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Dialplans;

public sealed class DefineAssistantTests
{
    private static readonly Dictionary<string, ConnectorKind> Connectors = new() { ["takvim"] = ConnectorKind.Calendar, ["crm"] = ConnectorKind.Http };
    private static readonly AssistantDefinition Clinic = Assistants.With(Assistants.Booking);

    public static TheoryData<string, AssistantDefinition> Unusable => new()
    {
        { "no name", Clinic with { Name = "" } },
        { "an unknown language", Clinic with { Language = "de" } },
        { "no greeting", Clinic with { Greeting = " " } },
        { "an empty phrase", Clinic with { Phrases = [""] } },
        { "two tasks of one id", Clinic with { Tasks = [Assistants.Booking, Assistants.Booking] } },
        { "no trigger", Assistants.With(Assistants.Booking with { Triggers = [] }) },
        { "no words for success", Assistants.With(Assistants.Booking with { Done = "" }) },
        { "an unknown kind of slot", Assistants.With(Assistants.Booking with { Slots = [new("day", "date", "?", [])] }) },
        { "two slots of one name", Assistants.With(Assistants.Booking with { Slots = [new("day", "day", "?", []), new("day", "day", "?", [])] }) },
        { "a choice without choices", Assistants.With(Assistants.Booking with { Slots = [new("day", "choice", "?", [])], Confirm = "" }) },
        { "choices for a day", Assistants.With(Assistants.Booking with { Slots = [new("day", "day", "?", ["pazar"])], Confirm = "" }) },
        { "a confirmation with a slot that is not asked", Assistants.With(Assistants.Booking with { Confirm = "{hour}?" }) },
        { "an action that a calendar does not know", Assistants.With(Assistants.Booking with { Action = "burn" }) },
    };

    [Fact]
    public void An_assistant_is_defined() => new DefineAssistant("clinic", Clinic)
        .Decide(Given.Nothing<Assistant>(), Connectors, Given.Now).Says(new AssistantDefined(Given.Now, "clinic", Clinic));

    [Fact]
    public void Defining_it_again_is_quiet() => new DefineAssistant("clinic", Clinic)
        .Decide(Given.Facts<Assistant>(new AssistantDefined(Given.Earlier, "clinic", Clinic)), Connectors, Given.Now).IsQuiet();

    [Theory]
    [MemberData(nameof(Unusable))]
    public void An_assistant_that_a_call_would_trip_over_is_refused(string because, AssistantDefinition assistant)
    {
        Assert.NotEmpty(because);
        new DefineAssistant("clinic", assistant).Decide(Given.Nothing<Assistant>(), Connectors, Given.Now).Refuses("assistant.invalid");
    }

    [Fact]
    public void A_task_needs_a_connector_that_is_registered() =>
        new DefineAssistant("clinic", Assistants.With(Assistants.Booking with { Connector = "nobody" }))
            .Decide(Given.Nothing<Assistant>(), Connectors, Given.Now).Refuses("assistant.connector_unknown");

    [Fact]
    public void An_http_connector_takes_any_action() =>
        Assert.Null(AssistantRules.Check(Assistants.With(Assistants.Booking with { Connector = "crm", Action = "open_ticket" }), Connectors));

    [Fact]
    public async Task A_chat_finds_the_assistants_of_its_tenant_only()
    {
        using var world = await World.WithTenantsAsync();
        await world.DoAsync(new DefineAssistant("clinic", Assistants.WithoutTasks));
        Assert.Equal("Clinic", (await world.Assistants.FindAsync(World.Demo, "clinic", default)).Value.Name);
        Assert.Equal("assistant.unknown", (await world.Assistants.FindAsync(World.Other, "clinic", default)).Refusal?.Code);
        Assert.Equal("assistant.unknown", (await world.Assistants.FindAsync(World.Demo, "../clinic", default)).Refusal?.Code);
    }
}
