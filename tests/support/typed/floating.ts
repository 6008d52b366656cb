/**
 * Finds work that nobody waits for and whose errors nobody hears of.
 *
 * @module
 */

import ts from "typescript";
import type { TypedProgram } from "./program.ts";

/**
 * Every place where a promise is left alone, as `PATH:LINE: WHAT`:
 *
 * - a statement that is a promise and neither awaits nor stores it, nor says what to do when it rejects;
 * - `void` in front of a promise;
 * - a function that returns a promise where one is expected that returns nothing, e.g. for a timer;
 * - a `catch` that ignores the error and does not say in a comment which errors come there.
 */
export function floatingWork({ files, checker }: TypedProgram): string[] {
  return files.flatMap((file) => {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      const problem = problemOf(node, file, checker);
      if (problem !== undefined) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        found.push(`${file.fileName}:${line + 1}: ${problem}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

function problemOf(
  node: ts.Node,
  file: ts.SourceFile,
  checker: ts.TypeChecker,
): string | undefined {
  if (ts.isExpressionStatement(node) && isFloating(node.expression, checker)) {
    return "nobody waits for this promise";
  }
  if (ts.isVoidExpression(node) && isPromise(checker.getTypeAtLocation(node.expression), checker)) {
    return "void hides a promise";
  }
  if (isLostReturn(node, checker)) {
    return "nobody waits for the promise that this function returns";
  }
  if (ts.isCatchClause(node) && node.variableDeclaration === undefined) {
    return hasComment(node.block, file) ? undefined : "no comment says what is caught here";
  }
  if (ts.isCallExpression(node) && isSilentCatch(node)) {
    const statement = ts.findAncestor(node, ts.isStatement) ?? node;
    const told = hasComment(statement, file) || hasTrailingComment(statement, file);
    return told ? undefined : "no comment says what is caught here";
  }
  return undefined;
}

function isFloating(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  const inner = withoutParentheses(expression);
  // What is stored is somebody's to wait for, and `void` is told of by itself.
  if (ts.isVoidExpression(inner) || isAssignment(inner)) return false;
  return !isHandled(inner) && isPromise(checker.getTypeAtLocation(inner), checker);
}

function withoutParentheses(expression: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(expression)
    ? withoutParentheses(expression.expression)
    : expression;
}

function isAssignment(expression: ts.Expression): boolean {
  if (!ts.isBinaryExpression(expression)) return false;
  const { kind } = expression.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** Whether it ends with what to do after a rejection: `catch(f)` or `then(f, g)`. */
function isHandled(expression: ts.Expression): boolean {
  if (!ts.isCallExpression(expression)) return false;
  const method = methodOf(expression);
  const handlers = expression.arguments.length;
  return method === "catch" && handlers === 1 || method === "then" && handlers === 2;
}

/** Whether it is `catch()` with a function that does not look at the error. */
function isSilentCatch(call: ts.CallExpression): boolean {
  const [handler] = call.arguments;
  return methodOf(call) === "catch" && handler !== undefined && ts.isArrowFunction(handler) &&
    handler.parameters.length === 0;
}

function methodOf({ expression }: ts.CallExpression): string | undefined {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : undefined;
}

/** A promise, a list of promises, or a choice with such a thing in it. */
function isPromise(type: ts.Type, checker: ts.TypeChecker): boolean {
  return choicesOf(type).some((one) =>
    isThenable(one, checker) || itemsOf(one, checker).some((item) => isThenable(item, checker))
  );
}

function isThenable(type: ts.Type, checker: ts.TypeChecker): boolean {
  return checker.getPropertyOfType(checker.getApparentType(type), "then") !== undefined;
}

function itemsOf(type: ts.Type, checker: ts.TypeChecker): readonly ts.Type[] {
  const isList = checker.isArrayType(type) || checker.isTupleType(type);
  return isList ? checker.getTypeArguments(type as ts.TypeReference).flatMap(choicesOf) : [];
}

function choicesOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

/** Whether it is a function that returns a promise, and whoever gets it expects that it returns nothing. */
function isLostReturn(node: ts.Node, checker: ts.TypeChecker): boolean {
  const expected = expectedOf(node, checker);
  if (expected === undefined) return false;
  const own = checker.getTypeAtLocation(node).getCallSignatures();
  if (!own.some((signature) => isPromise(signature.getReturnType(), checker))) return false;
  const signatures = choicesOf(expected).flatMap((type) => type.getCallSignatures());
  return signatures.length > 0 &&
    signatures.every((signature) => (signature.getReturnType().flags & ts.TypeFlags.Void) !== 0);
}

/** The type of the place that gets an expression, or a method of an object. */
function expectedOf(node: ts.Node, checker: ts.TypeChecker): ts.Type | undefined {
  const { parent } = node;
  if (ts.isMethodDeclaration(node) && ts.isObjectLiteralExpression(parent)) {
    const property = checker.getContextualType(parent)?.getProperty(node.name.getText());
    return property && checker.getTypeOfSymbolAtLocation(property, node);
  }
  if (!ts.isExpression(node)) return undefined;
  const isName = parent !== undefined && ts.isPropertyAssignment(parent) && parent.name === node;
  return isName ? undefined : checker.getContextualType(node);
}

/** Whether a comment stands anywhere in a node, or before it. */
function hasComment(node: ts.Node, file: ts.SourceFile): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, false);
  scanner.setText(file.text.slice(node.getFullStart(), node.getEnd()));
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    if (
      token === ts.SyntaxKind.SingleLineCommentTrivia ||
      token === ts.SyntaxKind.MultiLineCommentTrivia
    ) return true;
  }
  return false;
}

function hasTrailingComment(node: ts.Node, file: ts.SourceFile): boolean {
  return ts.getTrailingCommentRanges(file.text, node.getEnd()) !== undefined;
}
