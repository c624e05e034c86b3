using Sentiric.EventStore;

namespace Sentiric.Host.Settings;

/// <summary>What an operator says about the event store, as it stands in the environment; null is absent.</summary>
/// <param name="Schema">Of all tables.</param>
/// <param name="Marten">9 or 8.</param>
/// <param name="ArchiveFolder">Of the files with old streams; the write and the read role need the same one.</param>
/// <param name="ForeignWriters">A Marten host appends to the same tables.</param>
internal sealed record StoreSettings(string? Schema, string? Marten, string? ArchiveFolder, bool ForeignWriters)
{
    public PostgresEventStoreOptions ToOptions()
    {
        var options = new PostgresEventStoreOptions
        {
            Schema = Schema,
            Shape = Marten switch
            {
                null or "9" => MartenShape.Marten9,
                "8" => MartenShape.Marten8,
                _ => throw new SettingsException($"Store__Marten is '{Marten}': 9 or 8, the generation of Marten whose tables these are, is needed."),
            },
            ArchiveFolder = ArchiveFolder,
            ForeignWriters = ForeignWriters,
        };
        try
        {
            _ = PostgresSchema.ConnectionString("", options);
            return options;
        }
        catch (ArgumentException e)
        {
            throw new SettingsException($"Store__Schema: {e.Message}");
        }
    }
}
