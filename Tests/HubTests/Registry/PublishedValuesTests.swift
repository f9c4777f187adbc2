import Testing

@testable import Hub

@Suite struct PublishedValuesTests {
  private func read(_ text: String) throws -> PublishedValues? { PublishedValues(try .parse(Array(text.utf8))) }

  @Test func predictions() throws {
    let values = try #require(
      try read(
        #"{"source": "s", "text": "a [MASK]", "tolerance": 0.5, "predictions": [{"token": "b", "id": 7, "score": 0.25}]}"#
      ))
    #expect(values.source == "s" && values.input == .text("a [MASK]") && values.tolerance == 0.5)
    #expect(values.expectation == .predictions([.init(token: "b", id: 7, score: 0.25)], position: nil))
    #expect(values.inputText == "\"a [MASK]\"")
    let ids = try #require(
      try read(#"{"token_ids": [1, 4], "mask_position": 1, "predictions": [{"token": "b", "id": 7}]}"#))
    #expect(ids.input == .tokens(ids: [1, 4], paddingMask: [1, 1]) && ids.inputText == "ids 1 4")
    #expect(ids.expectation == .predictions([.init(token: "b", id: 7, score: nil)], position: 1))
  }

  @Test func hiddenStates() throws {
    let values = try #require(
      try read(
        """
        {"token_ids": [1, 2, 3, 4, 5, 6, 7], "padding_mask": [0, 1, 1, 1, 1, 1, 1],
         "hidden_states": {"first_token": 1, "first_unit": 2, "values": [[1, -2.5], [3, 4]]}}
        """))
    #expect(values.expectation == .hiddenStates([[1, -2.5], [3, 4]], firstToken: 1, firstUnit: 2))
    #expect(values.inputText == "ids 1 2 3 4 5 6 …")
  }

  @Test(arguments: [
    "1", "{}", #"{"text": "a"}"#, #"{"text": "a", "predictions": []}"#, #"{"text": "a", "predictions": [1]}"#,
    #"{"text": "a", "predictions": [{"token": "b"}]}"#,
    #"{"text": "a", "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [], "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1.5], "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1], "padding_mask": [1, 1], "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1], "padding_mask": [2], "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1], "padding_mask": [0], "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1], "hidden_states": {"values": []}}"#, #"{"token_ids": [1], "hidden_states": {"values": [[]]}}"#,
    #"{"token_ids": [1], "hidden_states": {"values": [[1], [1]]}}"#,
    #"{"token_ids": [1], "hidden_states": {"first_token": -1, "values": [[1]]}}"#,
    #"{"token_ids": [1], "hidden_states": {"first_token": 9223372036854775807, "values": [[1]]}}"#,
    #"{"token_ids": [1], "hidden_states": {"first_unit": -1, "values": [[1]]}}"#,
    #"{"token_ids": [1], "tolerance": -1, "hidden_states": {"values": [[1]]}}"#,
    #"{"token_ids": [1], "predictions": [{"token": "b", "id": 7}]}"#,
    #"{"token_ids": [1], "mask_position": 1, "predictions": [{"token": "b", "id": 7}]}"#,
    #"{"token_ids": [1, 2], "padding_mask": [0, 1], "mask_position": 0, "predictions": [{"token": "b", "id": 7}]}"#,
  ])
  func whatMakesNoSense(_ text: String) throws { #expect(try read(text) == nil) }
}
