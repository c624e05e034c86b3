using System.Text.Json.Serialization;
using Sentiric.Contracts.Queries;
using Sentiric.Read.Dialplans;
using Sentiric.Read.Knowledge;

namespace Sentiric.Read;

/// <summary>How the documents of the directories are stored.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(UserRow))]
[JsonSerializable(typeof(DialplanRow))]
[JsonSerializable(typeof(RouteRow))]
[JsonSerializable(typeof(DefinitionRow))]
[JsonSerializable(typeof(ArticleRow))]
internal sealed partial class ReadJson : JsonSerializerContext;
