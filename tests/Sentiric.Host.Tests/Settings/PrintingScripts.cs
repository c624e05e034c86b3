using Sentiric.Host.Settings;

namespace Sentiric.Host.Tests.Settings;

/// <summary>What a database administrator gets who lets no program create tables.</summary>
public sealed class PrintingScripts
{
    [Fact]
    public void The_schema_is_printed_as_the_settings_name_it()
    {
        var script = StoreScripts.Of(["--print-schema"], name => name == "Store__Schema" ? "telephony" : null);
        Assert.StartsWith("begin;\ncreate schema if not exists \"telephony\"", script, StringComparison.Ordinal);
        Assert.Contains("create table if not exists mt_events", script, StringComparison.Ordinal);
        Assert.EndsWith("commit;\n", script, StringComparison.Ordinal);
    }

    [Fact]
    public void The_roles_are_printed() => Assert.Contains("create role sentiric_writer", StoreScripts.Of(["--print-roles"], _ => null), StringComparison.Ordinal);

    [Fact]
    public void Nothing_is_printed_unasked_and_a_wrong_name_is_refused()
    {
        Assert.Null(StoreScripts.Of(["--roles", "all"], _ => null));
        Assert.Throws<SettingsException>(() => StoreScripts.Of(["--print-schema"], name => name == "Store__Schema" ? "a;b" : null));
    }
}
