using System.Text.Json;
using System.Text.Json.Nodes;
using Sentiric.Contracts.Events;

namespace Sentiric.Contracts.Tests.Events;

public sealed class PersonalMembersTests
{
    public static TheoryData<string> StoredNames => [.. EventCatalog.All.Select(k => k.StoredName)];

    /// <summary>A new text in an event has to be called personal or harmless before it is stored for the first time.</summary>
    [Theory]
    [MemberData(nameof(StoredNames))]
    public void Every_text_of_an_event_is_called_personal_or_harmless_and_nothing_else_is(string storedName)
    {
        var kind = EventCatalog.ForStoredName(storedName)!;
        var texts = Texts(JsonSerializer.SerializeToNode(EventExamples.Of(kind.Type), EventCatalog.StoredJson(kind.Type)), "").Distinct().Order().ToList();
        var declared = PersonalMembers.All.Where(m => m.Type == kind.Type).SelectMany(m => m.Personal.Concat(m.Harmless)).Order().ToList();
        Assert.Equal(texts, declared);
    }

    [Fact]
    public void What_becomes_null_may_be_missing()
    {
        foreach (var (type, path) in PersonalMembers.All.SelectMany(m => m.Optional.Select(path => (m.Type, path))))
        {
            var member = type.GetProperty(path)!;
            Assert.Equal(System.Reflection.NullabilityState.Nullable, new System.Reflection.NullabilityInfoContext().Create(member).ReadState);
        }
    }

    // The examples write every text so that it can be told from a name of a closed list or a date.
    private static IEnumerable<string> Texts(JsonNode? node, string path) => node switch
    {
        JsonObject members => members.SelectMany(m => Texts(m.Value, IsDictionary(members) ? path + ".*" : path.Length == 0 ? m.Key : $"{path}.{m.Key}")),
        JsonArray items => items.SelectMany(item => Texts(item, path + "[]")),
        JsonValue value when value.TryGetValue<string>(out var text) && text.EndsWith(" ığüşöç İ", StringComparison.Ordinal) => [path],
        _ => [],
    };

    // The only dictionaries of the examples have the one key "tr".
    private static bool IsDictionary(JsonObject members) => members.Count == 1 && members.ContainsKey("tr");
}
